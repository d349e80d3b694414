/** What an app of its own takes from here: the hook, and the types it speaks in. */
export type { BoardState, Ending } from './board-state.ts'
export type { Token, TokenSource } from './credential.ts'
export { pictureTypes } from './picture-address.ts'
export type { ConnectionStatus } from './status.ts'
export type { SyncUser } from './sync-user.ts'
export { useYjsSync, type YjsSync, type YjsSyncOptions } from './use-yjs-sync.ts'
