import { expect, test } from 'vitest'
import { type Role, roles } from '../../../core/contract/role.ts'
import { mayIn } from './may.ts'
import type { Session } from './session.ts'
import type { SessionState } from './use-session.ts'

const signedIn = (boards: Session['boards']): SessionState => ({ kind: 'in', session: { subject: 'ann', boards } })
const shownOn = (state: SessionState, board: string): Role[] => roles.filter(role => mayIn(state)(role, board))

test.each<[string, Session['boards'], string, Role[]]>([
  ['who may only read', { plan: 'read' }, 'plan', ['read']],
  ['who may write', { plan: 'write' }, 'plan', ['read', 'write']],
  ['who manages', { plan: 'admin' }, 'plan', ['read', 'write', 'admin']],
  ['who has a role on every board', { '*': 'write' }, 'plan', ['read', 'write']],
  ['who has less on this board than on others', { '*': 'admin', plan: 'read' }, 'plan', ['read']],
  ['who has none on this board', { '*': 'admin', plan: null }, 'plan', []],
  ['a guest of one board, on another', { plan: 'admin' }, 'other', []],
])('%s is shown what that role may do', (_, boards, board, shown) => {
  expect(shownOn(signedIn(boards), board)).toEqual(shown)
})

test.each<[string, SessionState]>([
  ['is not known yet', { kind: 'unknown' }],
  ['may do everything', { kind: 'open' }],
  ['is not signed in', { kind: 'out' }],
  ['is signed in on a server that does not say what they may', signedIn(undefined)],
])('who %s is shown everything', (_, state) => {
  expect(shownOn(state, 'plan')).toEqual(roles)
})
