/** What the store promises about credentials that came to an end before their time. */
import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Site } from './site.ts'

export function endingCases(site: () => Site): void {
  describe('what was ended', () => {
    async function endedKey(): Promise<string> {
      const id = randomUUID()
      const key = {
        id,
        hash: randomBytes(32),
        board: undefined,
        role: 'read',
        expiresAt: undefined,
        createdBy: 'test',
      } as const
      await site().storage.keys.create(key)
      await site().database.query('UPDATE boardsync.api_keys SET revoked_at = now() WHERE id = $1', [id])
      return id
    }
    const endedAgo = (id: string, seconds: number) =>
      site().database.query(
        'UPDATE boardsync.api_keys SET revoked_at = now() - make_interval(secs => $2) WHERE id = $1',
        [id, seconds],
      )
    const isTold = async (id: string, moment: number) => (await site().storage.endings.since(moment)).ended.keys.has(id)

    test('is told to who asks since before it, by the clock of the database', async () => {
      const { askedAt } = await site().storage.endings.since(0)
      expect(Math.abs(askedAt - Date.now() / 1_000)).toBeLessThan(60)
      const id = await endedKey()
      expect([await isTold(id, 0), await isTold(id, askedAt)]).toEqual([true, true])
      await endedAgo(id, 3_600)
      expect([await isTold(id, askedAt - 4_000), await isTold(id, askedAt)]).toEqual([true, false])
    })

    test('is told again for some seconds: its row may have been seen later than the time it carries', async () => {
      const id = await endedKey()
      const { askedAt } = await site().storage.endings.since(0)
      expect(await isTold(id, askedAt + 5)).toBe(true)
      await endedAgo(id, 120)
      expect(await isTold(id, askedAt)).toBe(false)
    })

    test('is told though the clock of the database has gone back since', async () => {
      const { askedAt } = await site().storage.endings.since(0)
      expect(await isTold(await endedKey(), askedAt + 3_600)).toBe(true)
    })

    test('is told of sessions too', async () => {
      const { storage, database } = site()
      const { askedAt } = await storage.endings.since(0)
      const hash = randomBytes(32)
      const basis = {
        subject: 'ann',
        authenticated: true,
        name: undefined,
        key: undefined,
        issuer: 'i',
        endsAt: undefined,
      }
      await storage.sessions.create(database, hash, { ...basis, rights: new Map() })
      expect((await storage.endings.since(askedAt)).ended.sessions.has(hash.toString('hex'))).toBe(false)
      await storage.sessions.end(hash)
      expect((await storage.endings.since(askedAt)).ended.sessions.has(hash.toString('hex'))).toBe(true)
    })
  })
}
