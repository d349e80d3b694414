/** Following somebody's view, as tldraw does it: until one moves one's own, or is led nowhere any more. */
import type { Editor } from 'tldraw'
import { peerUserId } from '../sync/announce.ts'

/** The awareness client id of whom this user follows. */
export function followedPeer(editor: Editor): number | undefined {
  const id = editor.getInstanceState().followingUserId
  return id ? Number(id.slice('user:'.length)) : undefined
}

/** Agents and stock clients have a cursor and no view of their own: one is taken to where it is, once. */
export function toggleFollowing(editor: Editor, clientId: number): void {
  const id = peerUserId(clientId)
  if (followedPeer(editor) === clientId) return void editor.stopFollowingUser()
  const presence = editor.getCollaborators().find(({ userId }) => userId === id)
  if (presence?.camera && presence.screenBounds) editor.startFollowingUser(id)
  else if (presence?.cursor) editor.zoomToUser(id)
}
