/** Board ids: what may stand in a URL, a row and a channel name. */
import { SyncError } from '../base/errors.ts'

declare const checked: unique symbol
/** A board id that was checked. */
export type BoardId = string & { readonly [checked]: true }

const pattern = /^[A-Za-z0-9_-]{1,128}$/

/** Names that are paths of ours, now or later, and so never boards. */
const reserved: ReadonlySet<string> = new Set(
  'ws canvas api v1 b boards admin mcp health ready metrics assets'.split(' '),
)

const boardIdRule = '1 to 128 of A–Z a–z 0–9 _ -, and not a reserved word'

export const isBoardId = (text: string): text is BoardId => pattern.test(text) && !reserved.has(text)

/** @throws SyncError `board-id-invalid` */
export function parseBoardId(text: string): BoardId {
  if (!isBoardId(text)) throw new SyncError('board-id-invalid', `invalid board id: ${boardIdRule}`)
  return text
}
