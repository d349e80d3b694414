/**
 * Lets a newcomer see this user's cursor at once. tldraw keeps no track of the pointer while it believes to be alone, so
 * without this the cursor stays invisible until it next moves.
 */
import { computed, type Editor, react, TLPOINTER_ID, unsafe__withoutCapture } from 'tldraw'

/** Returns the way to stop. */
export function sharePointer(editor: Editor): () => void {
  const isAlone = computed('is alone', () => editor.getCollaborators().length === 0)
  return react('share pointer', () => {
    if (!isAlone.get()) unsafe__withoutCapture(() => notePointer(editor))
  })
}

function notePointer(editor: Editor): void {
  const pointer = editor.store.get(TLPOINTER_ID)
  const { x, y } = editor.inputs.getCurrentPagePoint()
  const wasSeen = x !== 0 || y !== 0
  if (!pointer || !wasSeen) return
  editor.run(() => editor.store.put([{ ...pointer, x, y, lastActivityTimestamp: Date.now() }]), { history: 'ignore' })
}
