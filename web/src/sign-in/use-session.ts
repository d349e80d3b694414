/** Who is signed in here, for a page to show; asked anew when somebody comes back to it. */
import { useCallback, useEffect, useState } from 'react'
import { useComingBack } from '../use-coming-back.ts'
import { currentSession, type Session } from './session.ts'

export type SessionState =
  | { kind: 'unknown' }
  /** The server asks nobody who they are. */
  | { kind: 'open' }
  | { kind: 'out' }
  | { kind: 'in'; session: Session }

export function useSession(): SessionState {
  const [state, setState] = useState<SessionState>({ kind: 'unknown' })
  const read = useCallback(() => {
    currentSession()
      .then(session => setState(stateOf(session)))
      .catch(error => console.warn('boardsync: cannot tell who is signed in:', error))
  }, [])
  useEffect(read, [read])
  useComingBack(read)
  return state
}

function stateOf(session: Session | undefined): SessionState {
  if (!session) return { kind: 'out' }
  return session.subject === 'anyone' ? { kind: 'open' } : { kind: 'in', session }
}
