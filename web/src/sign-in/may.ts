/**
 * What a page shows to whom: it leaves out what this user may not do anyway. The server decides; so what cannot be told is
 * shown, and who is not signed in sees what signing in is for.
 */
import { includes, type Role, roleIn } from '../../../core/contract/role.ts'
import type { SessionState } from './use-session.ts'

/** Whether this user is known to have, or may have, that role on a board. */
export type May = (role: Role, boardId: string) => boolean

export const mayIn =
  (state: SessionState): May =>
  (role, boardId) => {
    // An instance of an older version does not say.
    if (state.kind !== 'in' || !state.session.boards) return true
    const own = roleIn(new Map(Object.entries(state.session.boards)), boardId)
    return own !== undefined && includes(own, role)
  }
