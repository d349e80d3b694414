/**
 * The bus port: messages between instances, and from api-bridge to ws. A hint and never the truth: any message may be
 * lost, doubled or reordered, and whoever listens also looks at the log.
 */

export type BusHandler = (channel: string, message: Uint8Array) => void

export type BusState = 'up' | 'down'

export interface Bus {
  readonly state: BusState
  /** Never waits and never fails: what cannot be sent now is dropped. */
  publish(channel: string, message: Uint8Array): void
  /**
   * Hears every message sent to `channel` after the promise resolved, own ones included. A name with `*` is a pattern.
   * @returns a function that ends the subscription
   */
  subscribe(channel: string, handler: BusHandler): Promise<() => void>
  close(): Promise<void>
}
