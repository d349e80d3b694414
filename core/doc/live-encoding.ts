/**
 * A document that is open encoded whole, in slices between which other boards get their turn: tens of megabytes take a second.
 * The document has to stay as it is meanwhile; whoever calls this sees to it.
 */
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { lengthOf, written } from '../base/byte-parts.ts'
import { fillInSlices, slices } from '../base/slices.ts'
import { cut, highestFirst } from './slices.ts'
import { columnsOf, takeStrings } from './v2-columns.ts'

/** To ask for the time costs as much as to write a small struct. */
const structsBetweenLooks = 16
/** A buffer that doubled to tens of megabytes would take a tenth of a second to come by. */
const bufferBytes = 1024 * 1024

/**
 * @returns an update (V2), byte for byte what `Y.encodeStateAsUpdateV2` makes of a document without pending parts
 * @throws Error when the document was changed meanwhile
 */
export function encodeInSlices(doc: Y.Doc): Promise<Uint8Array> {
  return undisturbed(doc, async () => {
    const encoder = new Y.UpdateEncoderV2()
    const strings = encoding.createEncoder()
    const { clients } = doc.store
    encoding.writeVarUint(encoder.restEncoder, clients.size)
    for (const [client, structs] of highestFirst(clients)) {
      encoding.writeVarUint(encoder.restEncoder, structs.length)
      encoder.writeClient(client)
      encoding.writeVarUint(encoder.restEncoder, structs[0]?.id.clock ?? 0)
      for (const [index, struct] of structs.entries()) {
        struct.write(encoder, 0)
        if (index % structsBetweenLooks !== 0) continue
        takeStrings(encoder, strings)
        beginBuffer(strings)
        beginBuffer(encoder.restEncoder)
        if (slices.mustStop()) await slices.next()
      }
    }
    const { clients: deleted } = await deletionsOf(doc)
    encoding.writeVarUint(encoder.restEncoder, deleted.size)
    for (const [client, ranges] of highestFirst(deleted)) {
      encoder.resetDsCurVal()
      encoding.writeVarUint(encoder.restEncoder, client)
      encoding.writeVarUint(encoder.restEncoder, ranges.length)
      for (const { clock, len } of ranges) {
        encoder.writeDsClock(clock)
        encoder.writeDsLen(len)
      }
    }
    const parts = [...columnsOf(encoder, strings), ...written(encoder.restEncoder)]
    if (slices.mustStop()) await slices.next()
    return fillInSlices(new Uint8Array(lengthOf(parts)), parts)
  })
}

/** @returns updates (V1) as {@link cut} makes them. @throws Error when the document was changed meanwhile */
export function cutInSlices(doc: Y.Doc): Promise<Uint8Array[]> {
  return undisturbed(doc, async () => {
    const updates: Uint8Array[] = []
    for (const update of cut(doc.store.clients, await deletionsOf(doc), () => new Y.UpdateEncoderV1())) {
      updates.push(update)
      if (slices.mustStop()) await slices.next()
    }
    return updates
  })
}

/** Yjs looks at every struct for it, in one piece: 10 ms for 100,000 shapes. */
async function deletionsOf({ store }: Y.Doc): Promise<ReturnType<typeof Y.createDeleteSetFromStructStore>> {
  const deletions = Y.createDeleteSetFromStructStore(store)
  if (slices.mustStop()) await slices.next()
  return deletions
}

/** Where the buffer at work is nearly as long as it may be, the next one takes its place. */
function beginBuffer(encoder: encoding.Encoder): void {
  if (encoder.cpos < bufferBytes) return
  encoder.bufs.push(encoder.cbuf.subarray(0, encoder.cpos))
  encoder.cbuf = new Uint8Array(2 * bufferBytes)
  encoder.cpos = 0
}

async function undisturbed<T>(doc: Y.Doc, work: () => Promise<T>): Promise<T> {
  let changed = false
  const note = () => {
    changed = true
  }
  doc.on('beforeTransaction', note)
  try {
    const result = await work()
    if (changed) throw new Error('the document was changed while it was encoded')
    return result
  } finally {
    doc.off('beforeTransaction', note)
  }
}
