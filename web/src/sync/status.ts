/** What the connection indicator says, in one word. */

export type ConnectionStatus = 'connecting' | 'connected' | 'reconnecting' | 'offline' | 'saving' | 'saved'

export interface ConnectionFacts {
  /** The store holds the board: it was complete once, or this browser had kept it. */
  loaded: boolean
  /** It is complete now, on an open socket that is not in doubt. */
  synced: boolean
  /** The browser has a network. */
  online: boolean
  hasEdited: boolean
  hasUnsaved: boolean
}

/** `saved` is said only of edits whose commit the server has shown; someone who has written nothing is `connected`. */
export function connectionStatus({ loaded, synced, online, hasEdited, hasUnsaved }: ConnectionFacts): ConnectionStatus {
  if (!synced && loaded) return online ? 'reconnecting' : 'offline'
  if (!synced || !loaded) return online ? 'connecting' : 'offline'
  if (hasUnsaved) return 'saving'
  return hasEdited ? 'saved' : 'connected'
}
