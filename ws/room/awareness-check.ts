/** May this state be passed on? What stock clients could not parse, or what is too long, is not. Pure. */
import { type AwarenessState, isGone } from '../protocol/awareness-codec.ts'
import { objectIn } from './awareness-json.ts'

/** As a client sends it. */
const stateBytesAtMost = 16 * 1024
/** With the name of its credential in it (`awareness-stamp.ts`), as instances pass it on to each other. */
export const stampedBytesAtMost = 2 * stateBytesAtMost

export type AwarenessRefusal = 'awareness-too-large' | 'awareness-malformed'

/** @returns why not */
export function refusalOf(state: AwarenessState, bytesAtMost = stateBytesAtMost): AwarenessRefusal | undefined {
  if (state.json.byteLength > bytesAtMost) return 'awareness-too-large'
  return isGone(state) || objectIn(state.json) ? undefined : 'awareness-malformed'
}
