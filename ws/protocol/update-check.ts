/**
 * Is this a well-formed Yjs update (V1)? Asked before an update is applied, because applying is not atomic: a truncated
 * update leaves part of itself in the document. Pure.
 */
import * as Y from 'yjs'
import { SyncError } from '../../core/base/errors.ts'

/** A struct this long hides as many later edits of the client it claims to be from; honest ones are far below. */
const longestStruct = 2 ** 26
const highestClock = 2 ** 48

/** @throws SyncError `frame-malformed`, bytes left over included */
export function checkUpdate(update: Uint8Array): void {
  try {
    const { structs } = Y.decodeUpdateV2(update, WatchedDecoder)
    const { restDecoder } = lastDecoder()
    if (restDecoder.pos !== restDecoder.arr.length) throw new Error('bytes left over')
    for (const { id, length } of structs) {
      if (!(length > 0 && length <= longestStruct && id.clock + length <= highestClock)) {
        throw new Error(`struct of length ${length} at clock ${id.clock}`)
      }
    }
  } catch (error) {
    // RangeError included: content nested deeper than the stack.
    throw new SyncError('frame-malformed', 'malformed update', { cause: error })
  }
}

let latest: WatchedDecoder | undefined

/** Yjs's own decoder; remembered, because `decodeUpdateV2` does not tell where it stopped. */
class WatchedDecoder extends Y.UpdateDecoderV1 {
  constructor(decoder: ConstructorParameters<typeof Y.UpdateDecoderV1>[0]) {
    super(decoder)
    latest = this
  }
}

function lastDecoder(): WatchedDecoder {
  if (!latest) throw new Error('no update was decoded')
  return latest
}
