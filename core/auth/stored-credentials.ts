/** Keys, tickets and sessions → grants. What a key or a session allows is remembered for a while, so that few are looked up. */
import { LRUCache } from 'lru-cache'
import type { Logger } from '../base/log.ts'
import type { Secret } from '../base/secret.ts'
import { everyBoard } from '../contract/role.ts'
import type { Basis } from '../store/basis.ts'
import type { Ended } from '../store/endings.ts'
import type { Storage } from '../store/storage.ts'
import { type Grant, type GrantBasis, grantOf } from './grant.ts'
import type { Issuers } from './issuers.ts'
import { hashOfToken, kindOfToken } from './token.ts'

/** Should an ending ever go unheard, this is how long it can. */
const rememberedMs = 60_000
const rememberedAtMost = 10_000

export type CredentialStores = Pick<Storage, 'keys' | 'tickets' | 'sessions'>

export class StoredCredentials {
  readonly #stores: CredentialStores
  readonly #issuers: ReadonlySet<string | undefined>
  readonly #log: Logger
  /** By the hash of key or session; who asks while it is looked up waits for the same answer. */
  readonly #remembered = new LRUCache<string, Grant, Secret>({
    max: rememberedAtMost,
    ttl: rememberedMs,
    fetchMethod: (_hash, _stale, { context }) => this.#lookUp(context),
  })

  /** @param issuers which settings vouch for what they vouched for; see `issuers.ts` */
  constructor(stores: CredentialStores, issuers: Issuers, log: Logger) {
    this.#stores = stores
    this.#issuers = new Set(Object.values(issuers).filter(Boolean))
    this.#log = log
  }

  /** Whether anything is remembered that could end unheard. */
  get remembers(): boolean {
    return this.#remembered.size > 0
  }

  /**
   * @param origin of the page that shows it, where one does
   * @returns undefined for what is none of ours, or no longer
   * @throws StorageError
   */
  async grantFor(token: Secret, origin: string | undefined): Promise<Grant | undefined> {
    const kind = kindOfToken(token.reveal())
    if (kind === undefined) return undefined
    const hash = hashOfToken(token)
    if (kind !== 'ticket') return this.#remembered.fetch(hash.toString('hex'), { context: token })
    const ticket = await this.#stores.tickets.redeem(hash, origin)
    return ticket && this.#resting(ticket, new Map([[ticket.board, ticket.role]]))
  }

  forget(ended: Ended): void {
    for (const [hash, grant] of this.#remembered.entries()) {
      if (hasEnded(grant, ended)) this.#remembered.delete(hash)
    }
  }

  async #lookUp(token: Secret): Promise<Grant | undefined> {
    const hash = hashOfToken(token)
    if (kindOfToken(token.reveal()) === 'session') {
      const session = await this.#stores.sessions.find(hash)
      return session && this.#resting(session, session.rights, hash.toString('hex'))
    }
    const key = await this.#stores.keys.find(hash)
    if (!key) return undefined
    // For people who look after keys: neither waited for nor needed.
    this.#stores.keys.used(key.id).catch(error => this.#log.debug({ err: error }, 'the use of a key was not noted'))
    return grantOf({
      subject: `key:${key.id}`,
      rights: new Map([[key.board ?? everyBoard, key.role]]),
      basis: { key: key.id },
      expiresAt: key.expiresAt,
    })
  }

  #resting(given: Basis, rights: Grant['rights'], session?: string): Grant | undefined {
    const { subject, authenticated, name, key, issuer = '', endsAt } = given
    if (key === undefined && !this.#issuers.has(issuer)) return undefined
    const basis: GrantBasis = { ...(key === undefined ? { issuer } : { key }), ...(session && { session }) }
    return grantOf({ subject, authenticated, name, rights, basis, expiresAt: endsAt })
  }
}

/** Whether what this grant rests on is among what came to an end. */
export const hasEnded = ({ basis }: Pick<Grant, 'basis'>, { keys, sessions }: Ended): boolean =>
  ('key' in basis && keys.has(basis.key)) || (basis.session !== undefined && sessions.has(basis.session))
