/** Credentials for tests: the settings that take them, tokens signed as an application would, keys, tickets, cookies. */

import { SignJWT } from 'jose'
import type { Site } from '../kit/site.ts'

export const adminKey = 'the-admin-key-of-these-tests'
const jwtSecret = 'a secret of tests, of more than thirty-two bytes'
export const settings = { ADMIN_KEY: adminKey, JWT_SECRET: jwtSecret }

export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds

export const token = (boards: Record<string, string>, { sub = 'ann', exp = inSeconds(600) } = {}): Promise<string> =>
  new SignJWT({ boards, sub, exp }).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(jwtSecret))

export const bearer = (credential: string) => ({ authorization: `Bearer ${credential}` })
export const asAdmin = bearer(adminKey)

/** @returns what was answered: `id` and `key` */
export async function makeKey(
  at: Site,
  board: string,
  body: object = { role: 'write' },
): Promise<{ id: string; key: string }> {
  const answer = await at.ask('POST', `/v1/boards/${board}/keys`, body, asAdmin)
  if (answer.statusCode !== 201) throw new Error(answer.body)
  return answer.json()
}

export async function makeTicket(
  at: Site,
  board: string,
  body: object = {},
  headers: Record<string, string> = asAdmin,
) {
  const answer = await at.ask('POST', `/v1/boards/${board}/tickets`, body, headers)
  if (answer.statusCode !== 201) throw new Error(answer.body)
  return answer.json().ticket as string
}

/** @returns the cookie, as a browser sends it back */
export async function signIn(at: Site, credential: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await at.ask('POST', '/v1/session', undefined, { ...bearer(credential), ...headers })
  if (answer.statusCode !== 201) throw new Error(answer.body)
  return cookieOf(answer.headers['set-cookie'])
}

export const cookieOf = (header: unknown): string => String(header).split(';')[0] ?? ''
