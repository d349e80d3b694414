/** May this state be passed on? What stock clients could not parse, or what is too long, is not. Pure. */
import { type AwarenessState, isGone } from '../protocol/awareness-codec.ts'

/** As a client sends it. */
const stateBytesAtMost = 16 * 1024
/** With the name of its credential in it (`awareness-stamp.ts`), as instances pass it on to each other. */
export const stampedBytesAtMost = 2 * stateBytesAtMost

export type AwarenessRefusal = 'awareness-too-large' | 'awareness-malformed'

/** @returns why not */
export function refusalOf(state: AwarenessState, bytesAtMost = stateBytesAtMost): AwarenessRefusal | undefined {
  if (state.json.byteLength > bytesAtMost) return 'awareness-too-large'
  return isGone(state) || isObject(state.json) ? undefined : 'awareness-malformed'
}

/** Stock clients parse what they are sent: a state that is no JSON object would break them. */
function isObject(json: Uint8Array): boolean {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false // neither JSON nor UTF-8: refused by the caller
  }
}
