/** A tldraw file (.tldr) read: migrated by tldraw itself, its pictures kept under their hashes, as a change to a board. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { inSteps } from '../core/base/slices.ts'
import type { BoardId } from '../core/contract/board-id.ts'
import type { Import } from '../core/contract/change.ts'
import { longestDataUrl } from '../core/contract/item.ts'
import { listOf } from '../core/contract/list-of.ts'
import { refusalOf } from '../core/doc/board-import.ts'
import type { PlainRecord } from '../core/doc/record-layout.ts'
import { migrated } from '../core/doc/tldraw-schema.ts'
import type { Storage } from '../core/store/storage.ts'
import { pictureBytesAtMost, picturesFull } from './asset-body.ts'
import { pictureTypeOf } from './asset-type.ts'
import { boardMissing } from './board-missing.ts'
import { rejection } from './change-answer.ts'
import { fileFormatVersion } from './export-file.ts'
import { Problem } from './problems.ts'

export const fileSchema = z
  .looseObject({
    tldrawFileFormatVersion: z.literal(fileFormatVersion),
    schema: z.looseObject({ schemaVersion: z.int() }),
    records: listOf(z.looseObject({ id: z.string().min(1), typeName: z.string() })),
  })
  .meta({ id: 'TldrawFile', description: 'What tldraw saves as a .tldr file.' })

/** A picture that stands in a file. */
interface Picture {
  type: NonNullable<ReturnType<typeof pictureTypeOf>>
  bytes: Buffer
}

/**
 * The change that puts the file's records on a board. Pictures are kept at once, and a board comes into being with its
 * first one: so what no board would take is refused before.
 * @throws Problem `request-invalid`, `item-invalid` with pointers into the file; `file-unreadable`; `board-missing`; `board-full`
 */
export async function importOf(
  file: z.output<typeof fileSchema>,
  board: BoardId,
  assets: Storage['assets'],
): Promise<Import> {
  const othersTurn = inSteps()
  const read = migrated(file.records, file.schema)
  if ('fault' in read) {
    throw new Problem('file-unreadable', `tldraw cannot bring this file to the version used here: ${read.fault}`)
  }
  await othersTurn()
  const records = inOrderOf(file.records, read.records)
  const pictures = new Map<number, Picture>()
  for (const [n, record] of records.entries()) {
    const picture = record.typeName === 'asset' ? pictureIn(record, n) : undefined
    if (picture) pictures.set(n, picture)
    await othersTurn()
  }
  const refusal = pictures.size > 0 ? refusalOf(records) : undefined
  if (refusal) throw rejection(refusal)
  for (const [n, picture] of pictures) {
    const src = await keep(picture, board, assets)
    records[n] = withAddress(records[n] as PlainRecord, src)
  }
  return { action: 'import', records }
}

/** A migration hands its records out as it likes. Pointers are into the file: twice the same id stays twice. */
function inOrderOf(given: readonly PlainRecord[], read: readonly PlainRecord[]): PlainRecord[] {
  const byId = new Map(read.map(record => [record.id, record]))
  return given.flatMap(({ id }) => byId.get(id) ?? [])
}

/** @throws Problem `request-invalid` when it is one that is not taken, and too long to stay in its record */
function pictureIn({ props }: PlainRecord, n: number): Picture | undefined {
  const given = (props as { src?: unknown } | undefined)?.src
  const src = typeof given === 'string' ? given : ''
  const bytes = Buffer.from(/^data:[^,]*;base64,(.*)$/s.exec(src)?.[1] ?? '', 'base64')
  const type = pictureTypeOf(bytes)
  if (type && bytes.byteLength <= pictureBytesAtMost) return { type, bytes }
  if (!src.startsWith('data:') || src.length <= longestDataUrl) return undefined
  const detail = 'a picture in a file is a PNG, JPEG, WebP or GIF of at most 10 MiB; others of at most 256 KiB'
  throw Problem.ofFields('request-invalid', [{ pointer: `/records/${n}/props/src`, detail }])
}

/** @returns its address */
async function keep({ type, bytes }: Picture, board: BoardId, assets: Storage['assets']): Promise<string> {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const outcome = await assets.put(board, sha256, type, bytes)
  if (outcome === 'board-full') throw picturesFull()
  if (outcome === 'board-deleted') throw boardMissing()
  return `/v1/boards/${board}/assets/${sha256}`
}

/** Records hold the address of a picture, never megabytes of it. */
const withAddress = (asset: PlainRecord, src: string): PlainRecord => ({
  ...asset,
  props: { ...(asset.props as object), src },
})
