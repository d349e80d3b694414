/** How an agent gets at a board: with nothing on an open server, else with a key of its own, made when it is asked for. */
import { api, Refusal } from '../api.ts'
import { currentSession } from '../sign-in/session.ts'
import { type AgentAccess, placeholder } from './snippets.ts'

const keyDays = 30

export interface GivenAccess extends AgentAccess {
  /** What whoever copies it has to know. */
  note: string | undefined
}

/** @throws Refusal where the server cannot be asked */
export async function giveAgentAccess(boardId: string): Promise<GivenAccess> {
  const { origin } = location
  const session = await currentSession()
  if (session?.subject === 'anyone') return { origin, boardId, key: undefined, note: undefined }
  try {
    const expiresAt = new Date(Date.now() + keyDays * 24 * 3_600_000).toISOString()
    const body = { role: 'write', expires_at: expiresAt }
    const { key } = await api<{ key: string }>(`/boards/${boardId}/keys`, { method: 'POST', body })
    return { origin, boardId, key, note: `With a new key: it may write to this board, for ${keyDays} days.` }
  } catch (error) {
    // Keys are made by who manages the board.
    if (!(error instanceof Refusal) || (error.status !== 403 && error.status !== 404)) throw error
    return { origin, boardId, key: placeholder, note: `Put an API key in the place of ${placeholder}.` }
  }
}
