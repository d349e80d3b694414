/** A board as a file of tldraw's own, which tldraw opens again. */
import type { TLStore } from '@tldraw/tlschema'

const fileFormatVersion = 1

/** @returns the content of a `.tldr` file: everything the store holds of the board */
export function boardFile(store: TLStore): string {
  const records = store.allRecords().filter(record => store.scopedTypes.document.has(record.typeName))
  return JSON.stringify({ tldrawFileFormatVersion: fileFormatVersion, schema: store.schema.serialize(), records })
}
