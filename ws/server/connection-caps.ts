/** How many sockets there may be: in all, from one address, of one subject. */
import { SyncError } from '../../core/base/errors.ts'

export interface ConnectionLimits {
  total: number
  /** undefined: any number. */
  perAddress: number | undefined
  perSubject: number | undefined
}

export class ConnectionCaps {
  readonly #limits: ConnectionLimits
  readonly #addresses = new Map<string, number>()
  readonly #subjects = new Map<string, number>()
  #total = 0

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  /**
   * Counts a socket.
   * @param addressOf asked only where it counts: the system has to look it up
   * @returns a function that ends it
   * @throws SyncError `too-many-connections`
   */
  connect(addressOf: () => string): () => void {
    const { total, perAddress } = this.#limits
    if (this.#total >= total) throw tooMany('this instance has too many connections')
    const leave =
      perAddress === undefined
        ? undefined
        : enter(this.#addresses, addressOf(), perAddress, 'there are too many connections from this address')
    this.#total += 1
    return once(() => {
      this.#total -= 1
      leave?.()
    })
  }

  /** Counts it for whom it belongs to, too. @throws SyncError `too-many-connections` */
  identify(subject: string): () => void {
    const { perSubject } = this.#limits
    if (perSubject === undefined) return () => {}
    return once(enter(this.#subjects, subject, perSubject, 'this credential has too many connections'))
  }
}

function enter(counts: Map<string, number>, name: string, limit: number, reason: string): () => void {
  const count = counts.get(name) ?? 0
  if (count >= limit) throw tooMany(reason)
  counts.set(name, count + 1)
  return () => {
    const left = (counts.get(name) ?? 1) - 1
    if (left > 0) counts.set(name, left)
    else counts.delete(name)
  }
}

function once(work: () => void): () => void {
  let done = false
  return () => {
    if (!done) work()
    done = true
  }
}

const tooMany = (reason: string) => new SyncError('too-many-connections', reason)
