/** Who somebody is, where their credential says so: their awareness says the same, whatever they wrote there. Pure. */
import { type AwarenessState, isGone } from '../protocol/awareness-codec.ts'
import { objectIn, objectOf } from './awareness-json.ts'

/** What cannot be read stays as it is: it is refused by whoever checks it (`awareness-check.ts`). */
export function stamped(state: AwarenessState, name: string | undefined): AwarenessState {
  if (name === undefined || isGone(state)) return state
  const own = objectIn(state.json)
  if (!own) return state
  const presence = objectOf(own.presence)
  const named = {
    ...own,
    user: { ...objectOf(own.user), name },
    // As tldraw's Yjs example says it.
    ...(presence && 'userName' in presence && { presence: { ...presence, userName: name } }),
  }
  return { ...state, json: new TextEncoder().encode(JSON.stringify(named)) }
}
