/** Which shape's text this user is writing. A peer's text would replace it and move the caret: it waits until they are done. */
import { react, unsafe__withoutCapture } from '@tldraw/state'
import {
  InstancePageStateRecordType,
  TLINSTANCE_ID,
  type TLShape,
  type TLShapeId,
  type TLStore,
} from '@tldraw/tlschema'

export function editedShape(store: TLStore): TLShapeId | null {
  const instance = store.get(TLINSTANCE_ID)
  if (!instance) return null
  return store.get(InstancePageStateRecordType.createId(instance.currentPageId))?.editingShapeId ?? null
}

/** The incoming shape with the text that stands in the store. */
export function withOwnText(known: TLShape, incoming: TLShape): TLShape {
  if (!('richText' in known.props) || !('richText' in incoming.props)) return incoming
  return { ...incoming, props: { ...incoming.props, richText: known.props.richText } } as TLShape
}

/** Calls back each time this user turns to another shape's text or to none. Returns the way to stop. */
export function watchEditedText(store: TLStore, onOther: () => void): () => void {
  let last = editedShape(store)
  return react('edited text', () => {
    const edited = editedShape(store)
    if (edited === last) return
    last = edited
    unsafe__withoutCapture(onOther)
  })
}
