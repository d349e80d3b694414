/** What a page shows of how its board is doing. */
import type { ConnectionStatus } from './status.ts'

export interface BoardState {
  /** The socket is open. */
  connected: boolean
  /** The board is complete, since the last time the socket opened. */
  synced: boolean
  /** The store holds the board: it was complete once, or the server is away and this browser had kept it. */
  loaded: boolean
  /** For an indicator, in a word. */
  status: ConnectionStatus
  /** Edits of this browser that the server has not shown to be committed. */
  hasUnsaved: boolean
  /** They outlive a reload: this browser keeps them. */
  keepsUnsaved: boolean
  /** The canvas takes no edits. */
  readOnly: boolean
  /** The server refuses this user's edits. */
  mayOnlyRead: boolean
  /** Why there is no going on without doing something about it. */
  ending: Ending | undefined
  /** How many pictures could not be uploaded yet, and are tried again. They count as unsaved. */
  failingPictures: number
  /** How many records of the board are kept out of the canvas, because tldraw could not show them. */
  setAside: number
}

export type Ending =
  /** The server closed for good: see the table of close codes. Nothing is tried any more. */
  | { kind: 'closed'; code: number; reason: string }
  /** The server's board does not go on from what this browser has unsaved edits in. */
  | { kind: 'begun-anew' }
  /** A newer tldraw has written to the board: this page has to be loaded anew. */
  | { kind: 'outdated' }

export function sameState(a: BoardState, b: BoardState): boolean {
  return (Object.keys(a) as (keyof BoardState)[]).every(key => a[key] === b[key])
}
