/** tldraw's records as plain JSON and back: the same objects, seen through another type. */
import type { TLRecord } from '@tldraw/tlschema'
import type { PlainRecord } from '../../../core/doc/record-layout.ts'

export const plain = (record: TLRecord): PlainRecord => record as unknown as PlainRecord

/** Only for what was validated, or is validated next. */
export const unplain = (record: PlainRecord): TLRecord => record as unknown as TLRecord
