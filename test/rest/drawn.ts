/** What tldraw's page writes when a person draws. */

import type { PlainRecord } from '../../core/doc/record-layout.ts'

const paragraph = { type: 'paragraph', content: [{ type: 'text', text: 'by hand' }] }

export const drawnNote = (id: string, fields: object = {}): PlainRecord => ({
  id: `shape:${id}`,
  typeName: 'shape',
  type: 'note',
  x: 0,
  y: 0,
  rotation: 0,
  index: 'a1',
  parentId: 'page:page',
  isLocked: false,
  opacity: 1,
  meta: {},
  props: {
    color: 'yellow',
    labelColor: 'black',
    size: 'm',
    font: 'draw',
    fontSizeAdjustment: 1,
    align: 'middle',
    verticalAlign: 'middle',
    growY: 0,
    url: '',
    richText: { type: 'doc', content: [paragraph] },
    scale: 1,
    textLastEditedBy: null,
  },
  ...fields,
})

/** One that JSON cannot hold, and that tldraw's validators accept. */
export function untoldNote(id: string): PlainRecord {
  const { props } = drawnNote(id)
  return drawnNote(id, { props: { ...(props as object), richText: { type: 'doc', content: [], attrs: { n: 10n } } } })
}
