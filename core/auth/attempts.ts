/**
 * Credentials that turn out to be wrong, counted by the address they come from. Nobody has to show anything to have one
 * looked up, and each is a statement in the database: an address that was wrong too often waits before the next one is. What
 * was right when it was last looked up is not held up, whoever else is behind that address. Counted by this instance, in memory.
 */
import { LRUCache } from 'lru-cache'
import { SyncError } from '../base/errors.ts'
import type { Secret } from '../base/secret.ts'
import { type Rate, TokenBucket } from '../base/token-bucket.ts'
import { hashOfToken, kindOfToken } from './token.ts'

/** Of both: who comes less often than so many others begins anew. */
const rememberedAtMost = 10_000

export class TooManyAttempts extends SyncError {
  readonly bucket: TokenBucket

  constructor(bucket: TokenBucket) {
    super('too-many-attempts', 'too many wrong credentials came from this address; try again later')
    this.bucket = bucket
  }
}

export class Attempts {
  readonly #rate: Rate
  readonly #failures = new LRUCache<string, TokenBucket>({ max: rememberedAtMost })
  /** Hashes of keys and sessions. */
  readonly #right = new LRUCache<string, true>({ max: rememberedAtMost })

  /** @param rate how often an address may be wrong */
  constructor(rate: Rate) {
    this.#rate = rate
  }

  /**
   * @param address asked only where it counts: the system has to look it up
   * @param find resolves to undefined, or throws a SyncError, where the credential is wrong
   * @throws TooManyAttempts, in the place of asking the store or of saying that the credential is wrong; what `find` throws
   */
  async find<T>(credential: Secret, address: () => string, find: () => Promise<T | undefined>): Promise<T | undefined> {
    const kind = kindOfToken(credential.reveal())
    const hash = kind === undefined ? undefined : hashOfToken(credential).toString('hex')
    if (hash !== undefined && !this.#right.has(hash)) this.#refuseOver(this.#bucketOf(address()))
    let found: T | undefined
    try {
      found = await find()
    } catch (error) {
      if (error instanceof SyncError && error.code !== 'credential-unverifiable') this.#failed(address(), hash)
      throw error
    }
    if (found === undefined) this.#failed(address(), hash)
    else if (hash !== undefined && kind !== 'ticket') this.#right.set(hash, true)
    return found
  }

  #failed(address: string, hash: string | undefined): void {
    if (hash !== undefined) this.#right.delete(hash)
    const bucket = this.#bucketOf(address)
    // Several that are looked up at the same moment may come to more than there is left.
    const over = bucket.left() < 1
    bucket.spend()
    if (over) throw new TooManyAttempts(bucket)
  }

  #refuseOver(bucket: TokenBucket): void {
    if (bucket.left() < 1) throw new TooManyAttempts(bucket)
  }

  #bucketOf(address: string): TokenBucket {
    const bucket = this.#failures.get(address) ?? new TokenBucket(this.#rate)
    this.#failures.set(address, bucket)
    return bucket
  }
}
