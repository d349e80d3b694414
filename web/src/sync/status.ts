/** What the connection indicator says, in one word. */

export type ConnectionStatus = 'connecting' | 'connected' | 'reconnecting' | 'saving' | 'saved'

export interface ConnectionFacts {
  /** The board was complete once. */
  loaded: boolean
  /** It is complete now, on an open socket. */
  synced: boolean
  hasEdited: boolean
  hasUnsaved: boolean
}

/** `saved` is said only of edits whose commit the server has shown; someone who has written nothing is `connected`. */
export function connectionStatus({ loaded, synced, hasEdited, hasUnsaved }: ConnectionFacts): ConnectionStatus {
  if (!loaded) return 'connecting'
  if (!synced) return 'reconnecting'
  if (hasUnsaved) return 'saving'
  return hasEdited ? 'saved' : 'connected'
}
