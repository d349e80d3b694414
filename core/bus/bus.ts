/**
 * The bus port: messages between instances, and from api-bridge to ws; and what each lets the others know of itself for as
 * long as it lives. A hint and never the truth: any message may be lost, doubled or reordered, and whoever listens also
 * looks at the log.
 */

export type BusHandler = (channel: string, message: Uint8Array) => void

/** `up`: what is published goes out, and everything subscribed to is heard. */
export type BusState = 'up' | 'down'

/** This instance holds it. */
export interface Lease {
  /** The mark under which the one before gave it back, a moment ago; it may be still to be heard. */
  after?: string
}

export interface Bus {
  readonly state: BusState
  /**
   * Tells every change of `state`. `up` comes once everything is subscribed again: whatever was published while the bus
   * was down is lost, and now is the time to look for what it told of.
   * @returns a function that ends it
   */
  onState(listener: (state: BusState) => void): () => void
  /**
   * Whether a message on this channel may reach more than one subscription. Who has one there itself need not make a
   * message that nobody else would hear.
   */
  mayReachOthers(channel: string): boolean
  /** Never waits and never fails: what cannot be sent now is dropped. */
  publish(channel: string, message: Uint8Array): void
  /**
   * Hears every message sent to `channel` after the promise resolved, own ones included; a bus that is down does not hold
   * it up for more than 250 ms, and subscribes when it comes up. A name with `*` is a pattern.
   * @param onLate the promise resolved before it was subscribed, and now it is: what was published until now is lost
   * @returns a function that ends the subscription
   */
  subscribe(channel: string, handler: BusHandler, onLate?: () => void): Promise<() => void>
  /**
   * Takes the lease of this name, or renews it, for so many ms: at most one instance holds it.
   * @returns undefined when somebody else holds it; a bus that is down grants none
   * @throws Error when the bus is there and takes no leases from us
   */
  lease(name: string, ms: number): Promise<Lease | undefined>
  /**
   * Gives a lease back early, then publishes a mark: what is heard before it was the holder's to deal with, what is heard
   * after it is the next one's, who is told of the mark with the lease. Somebody else's lease stays.
   */
  release(name: string, channel: string, mark: string): Promise<void>
  /**
   * Lets everybody find `value` under this name in a group, for so many ms; keep it again before they are over. Never waits
   * and never fails: a bus that is down keeps nothing.
   */
  keep(group: string, name: string, value: string, ms: number): void
  /** Ends it early. */
  forget(group: string, name: string): void
  /**
   * What is kept in a group now, by name.
   * @returns undefined when the bus cannot say: it is down, or has not answered within 250 ms
   */
  kept(group: string): Promise<ReadonlyMap<string, string> | undefined>
  close(): Promise<void>
}
