/**
 * What this user holds while a peer deletes it. tldraw's tools remember the shapes they began with and go on with them when
 * they are gone; the canvas then crashes under whoever is dragging. So what they do ends before the shapes go.
 */
import { type Editor, isShapeId, type TLParentId, type TLShapeId } from 'tldraw'

/** tldraw's states that hold shapes. (Writing and erasing is not among them: tldraw itself lets go of those.) */
const pressing = [
  'select.pointing_shape',
  'select.pointing_selection',
  'select.pointing_handle',
  'select.pointing_resize_handle',
  'select.pointing_rotate_handle',
  'arrow.pointing',
  'line.pointing',
]
const moving = [
  'select.translating',
  'select.resizing',
  'select.rotating',
  'select.dragging_handle',
  'select.pointing_arrow_label',
  'select.crop',
]

/** Call before these records leave the store, and outside of what is merged into it: all that is done counts as the user's. */
export function letGo(editor: Editor, gone: ReadonlySet<string>): void {
  if (!editor.isInAny(...pressing, ...moving)) return
  const held = heldBy(editor)
  if (![...held].some(id => gone.has(id))) return
  const selected = editor.getSelectedShapeIds()
  // As if they had let go of the mouse: what else they hold stays where they have brought it.
  editor.complete()
  for (const id of selected) takeOutOf(editor, id, gone)
}

function heldBy(editor: Editor): Set<TLShapeId> {
  const held = new Set([...editor.getSelectedShapeIds(), ...editor.getHintingShapeIds()])
  if (editor.isInAny(...pressing)) {
    const at = editor.inputs.getOriginPagePoint()
    const pressed = editor.getShapesAtPoint(at, { hitInside: true, margin: editor.getHitTestMargin() })
    for (const { id } of pressed) held.add(id)
  }
  for (const id of [...held]) for (const ancestor of editor.getShapeAncestors(id)) held.add(ancestor.id)
  return held
}

/** A shape does not go with the frame it is in, unless it is deleted too: it stays where it is, on what that frame is on. */
function takeOutOf(editor: Editor, id: TLShapeId, gone: ReadonlySet<string>): void {
  const shape = editor.getShape(id)
  if (!shape || gone.has(id) || !gone.has(shape.parentId)) return
  let parent: TLParentId | undefined = shape.parentId
  while (parent && isShapeId(parent) && gone.has(parent)) parent = editor.getShape(parent)?.parentId
  if (parent) editor.reparentShapes([id], parent)
}
