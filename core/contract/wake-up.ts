/** Our own message on `board:{id}:updates`: it tells of a change that is stored already. */
import type { BoardChange } from './change.ts'

/** Characters of a change that everybody is told whole: the bus holds no megabytes for all who listen. */
const toldAtMost = 256 * 1024

/** What is large is read from its row alone. @param stored the change as JSON */
export function encodeWakeUp(changeId: string, change: BoardChange, stored: string): Uint8Array {
  const told = stored.length > toldAtMost ? { action: change.action } : change
  return new TextEncoder().encode(JSON.stringify({ change_id: changeId, ...told }))
}

/** Whether it is ours, without reading it: what is quoted in a text has a backslash before its quotes. */
export function mayBeWakeUp(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('"change_id"')
}
