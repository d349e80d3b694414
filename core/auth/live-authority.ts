/**
 * Rights that end while they are used: those who wait on a grant hear of it when it expires, and when what it rests on
 * is revoked on any instance. Every instance asks the store for that itself; the bus only makes it ask sooner.
 */
import { SyncError } from '../base/errors.ts'
import type { Logger } from '../base/log.ts'
import type { Bus } from '../bus/bus.ts'
import { credentialsChannel } from '../contract/channels.ts'
import type { Ended } from '../store/endings.ts'
import type { Storage } from '../store/storage.ts'
import type { Grant } from './grant.ts'
import { hasEnded, type StoredCredentials } from './stored-credentials.ts'

const lookEveryMs = 2_000
/** A session that something waits on is in use. */
const slideEveryMs = 60 * 60 * 1_000
/** Timers stand still while the machine is suspended: what expired meanwhile ends this long after that, at the latest. */
const longestTimerMs = 60_000

type OnEnd = (error: SyncError) => void

interface Watch {
  grant: Grant
  onEnd: OnEnd
  timer: NodeJS.Timeout | undefined
}

export class LiveAuthority {
  readonly #stores: Pick<Storage, 'endings' | 'sessions'>
  readonly #stored: Pick<StoredCredentials, 'forget' | 'remembers'>
  readonly #bus: Bus
  readonly #log: Logger
  readonly #watches = new Set<Watch>()
  readonly #timer: NodeJS.Timeout
  #unsubscribe: (() => void) | undefined
  /** The moment of the last answer. Before the first one, whatever has ended ever is news. */
  #askedAt = 0
  #slidAt = performance.now()
  #looking: Promise<void> | undefined
  #again = false

  constructor(
    stores: Pick<Storage, 'endings' | 'sessions'>,
    stored: Pick<StoredCredentials, 'forget' | 'remembers'>,
    bus: Bus,
    log: Logger,
  ) {
    this.#stores = stores
    this.#stored = stored
    this.#bus = bus
    this.#log = log
    this.#timer = setInterval(() => void this.look(), lookEveryMs)
  }

  async start(): Promise<void> {
    this.#unsubscribe = await this.#bus.subscribe(credentialsChannel, () => void this.look())
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#unsubscribe?.()
    for (const watch of this.#watches) clearTimeout(watch.timer)
    this.#watches.clear()
  }

  /**
   * @param onEnd is told once that the grant allows nothing any more: `credential-expired`, `credential-revoked`
   * @returns ends the watch
   */
  watch(grant: Grant, onEnd: OnEnd): () => void {
    const watch: Watch = { grant, onEnd, timer: undefined }
    this.#watches.add(watch)
    this.#awaitExpiry(watch)
    return () => this.#drop(watch)
  }

  /** Something was revoked here: every instance looks now. */
  announce(): void {
    this.#bus.publish(credentialsChannel, new Uint8Array())
    void this.look()
  }

  /** One at a time; who asks meanwhile is answered by one more. */
  look(): Promise<void> {
    if (this.#looking) {
      this.#again = true
      return this.#looking
    }
    this.#looking = this.#lookOnce()
      .catch(error => this.#log.debug({ err: error }, 'could not ask which credentials ended'))
      .then(() => {
        this.#looking = undefined
        if (!this.#again) return undefined
        this.#again = false
        return this.look()
      })
    return this.#looking
  }

  async #lookOnce(): Promise<void> {
    if (this.#watches.size > 0 || this.#stored.remembers) {
      const { ended, askedAt } = await this.#stores.endings.since(this.#askedAt)
      this.#stored.forget(ended)
      // As a rule nothing has; and there may be many who watch.
      const watches = ended.keys.size + ended.sessions.size > 0 ? this.#watches : []
      for (const watch of watches) {
        if (hasEnded(watch.grant, ended)) this.#end(watch, errorOf(watch.grant, ended))
      }
      // Only now: what a look that failed did not hear, the next one asks for.
      this.#askedAt = askedAt
    }
    const now = performance.now()
    if (now - this.#slidAt >= slideEveryMs) {
      await this.#slide()
      this.#slidAt = now
    }
  }

  async #slide(): Promise<void> {
    const sessions = new Set([...this.#watches].flatMap(({ grant }) => grant.basis.session ?? []))
    if (sessions.size > 0) await this.#stores.sessions.slide([...sessions].map(hash => Buffer.from(hash, 'hex')))
  }

  #awaitExpiry(watch: Watch): void {
    const { expiresAt } = watch.grant
    if (!expiresAt) return
    const left = expiresAt.getTime() - Date.now()
    watch.timer = setTimeout(
      () => {
        if (left > longestTimerMs) this.#awaitExpiry(watch)
        else this.#end(watch, new SyncError('credential-expired', 'the credential has expired'))
      },
      Math.min(left, longestTimerMs),
    )
  }

  #drop(watch: Watch): void {
    clearTimeout(watch.timer)
    this.#watches.delete(watch)
  }

  #end(watch: Watch, error: SyncError): void {
    this.#drop(watch)
    try {
      watch.onEnd(error)
    } catch (failure) {
      this.#log.error({ err: failure }, 'whoever used a grant could not be told that it ended')
    }
  }
}

/** Who signs out ends a session only: signing in again helps. */
const errorOf = ({ basis }: Grant, { keys }: Ended): SyncError =>
  'key' in basis && keys.has(basis.key)
    ? new SyncError('credential-revoked', 'the credential was revoked')
    : new SyncError('credential-expired', 'the session has ended')
