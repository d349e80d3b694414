/** A board as a tldraw file (.tldr), record by record; the pictures it keeps here go into the file, which opens anywhere. */
import { inSteps } from '../core/base/slices.ts'
import type { BoardId } from '../core/contract/board-id.ts'
import type { PlainRecord } from '../core/doc/record-layout.ts'
import { serializedSchema } from '../core/doc/tldraw-schema.ts'
import type { Storage } from '../core/store/storage.ts'

export const fileFormatVersion = 1
/** In characters. Sent one by one, records would cost more than to read them. */
const pieceLength = 64 * 1024

/** @param records of the schema of this version */
export async function* fileOf(
  records: readonly PlainRecord[],
  board: BoardId,
  assets: Storage['assets'],
): AsyncGenerator<string> {
  const othersTurn = inSteps()
  let text = `{"tldrawFileFormatVersion":${fileFormatVersion},"schema":${JSON.stringify(serializedSchema)},"records":[`
  for (const [n, record] of records.entries()) {
    text += `${n > 0 ? ',' : ''}${JSON.stringify(await withPicture(record, board, assets))}`
    if (text.length < pieceLength) continue
    yield text
    text = ''
    await othersTurn()
  }
  yield `${text}]}`
}

async function withPicture(record: PlainRecord, board: BoardId, assets: Storage['assets']): Promise<PlainRecord> {
  const props = record.props as { src?: unknown } | undefined
  const sha256 = ownPicture(props?.src, board)
  const head = sha256 === undefined ? undefined : await assets.head(board, sha256)
  if (sha256 === undefined || !head) return record
  const slices: Uint8Array[] = []
  for await (const slice of assets.read(board, sha256)) slices.push(slice)
  const src = `data:${head.mediaType};base64,${Buffer.concat(slices).toString('base64')}`
  return { ...record, props: { ...props, src } }
}

/** Of this board only: the right to read it is what was asked for. */
function ownPicture(src: unknown, board: BoardId): string | undefined {
  const [, of, sha256] = (typeof src === 'string' && /^\/v1\/boards\/([^/]+)\/assets\/([0-9a-f]{64})$/.exec(src)) || []
  return of === board ? sha256 : undefined
}
