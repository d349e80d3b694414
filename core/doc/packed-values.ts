/**
 * Plain objects of a Y.Doc left as the bytes they lie in, each read when somebody asks for it: most of what a tldraw board consists
 * of, and people who draw on it need none of them here. A big board wakes three times faster so, takes less memory, and is
 * encoded by copying. To Yjs, and to whoever reads the document, such a value is like any other.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { contentAny, pickFromObject, plainObject, takeAny } from '../base/any-bytes.ts'
import { eachInSlices } from '../base/slices.ts'

/**
 * As `Y.applyUpdate` does it, of an update (V1) that lacks nothing.
 * @param doc nobody observes it meanwhile: they would find what stands in the place of values
 * @param update is kept, for as long as something in it stays packed
 * @throws Error when it cannot be read, or lacks something
 */
export function applyPacked(doc: Y.Doc, update: Uint8Array, origin: unknown): void {
  const { store } = doc
  const clocks = { before: new Map<number, number>(), after: new Map<number, number>() }
  doc.once('afterTransaction', ({ beforeState, afterState }: Y.Transaction) => {
    clocks.before = beforeState
    clocks.after = afterState
  })
  Y.applyUpdateV2(doc, update, origin, PackingDecoder)
  // What waits is encoded by Yjs, which does not know what stands in the place of a value.
  if (store.pendingStructs) throw new Error('the update is not whole')
  for (const [client, clock] of clocks.after) {
    const before = clocks.before.get(client) ?? 0
    if (clock === before) continue
    const structs = store.clients.get(client) ?? []
    // From the last one before them, into which the first may have been merged.
    for (let index = before === 0 ? 0 : Y.findIndexSS(structs, before - 1); index < structs.length; index++) {
      const struct = structs[index]
      if (struct instanceof Y.Item && struct.content instanceof Y.ContentAny) struct.content = packed(struct.content)
    }
  }
}

/** Reads all that is packed, in slices between which others get their turn: for who will look at many of the values, or often. */
export async function unpackInSlices({ store }: Y.Doc): Promise<void> {
  for (const structs of store.clients.values()) {
    await eachInSlices(structs, struct => {
      if (struct instanceof Y.Item && struct.content instanceof PackedContent) struct.content = struct.content.copy()
    })
  }
}

/** What the object under this key has under these names, if it is packed, without reading the rest of it; else undefined. */
export function pickPacked(map: Y.Map<unknown>, key: string, names: readonly string[]): unknown[] | undefined {
  const item = map._map.get(key)
  return item && !item.deleted && item.content instanceof PackedContent ? item.content.pick(names) : undefined
}

/** In the place of a value, between decoding an update and the end of applying it. */
class PackedValue {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

class PackingDecoder extends Y.UpdateDecoderV1 {
  #content = 0

  override readInfo(): number {
    const info = super.readInfo()
    this.#content = info & 31
    return info
  }

  override readAny(): unknown {
    const { arr, pos } = this.restDecoder
    const isPacked = this.#content === contentAny && arr[pos] === plainObject
    return isPacked ? new PackedValue(takeAny(this.restDecoder)) : super.readAny()
  }
}

const nothing: unknown[] = []

/** One value. `arr` stays empty: only the methods of its class read it. */
class PackedContent extends Y.ContentAny {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    super(nothing)
    this.#bytes = bytes
  }

  override getLength(): number {
    return 1
  }

  override getContent(): unknown[] {
    return [valueIn(this.#bytes)]
  }

  pick(names: readonly string[]): unknown[] {
    return pickFromObject(this.#bytes, names)
  }

  override copy(): Y.ContentAny {
    return new Y.ContentAny(this.getContent())
  }

  override splice(): never {
    throw new Error('a single value is not divided')
  }

  override mergeWith(): boolean {
    return false
  }

  /** V1 and V2 write plain values alike. */
  override write(encoder: Y.UpdateEncoderV1 | Y.UpdateEncoderV2): void {
    encoder.writeLen(1)
    encoding.writeUint8Array(encoder.restEncoder, this.#bytes)
  }
}

/** Several values, as lists have them side by side, may have to be divided: those are read. */
function packed(content: Y.ContentAny): Y.ContentAny {
  const { arr } = content
  const [first] = arr
  if (arr.length === 1) return first instanceof PackedValue ? new PackedContent(first.bytes) : content
  if (arr.some(value => value instanceof PackedValue)) {
    content.arr = arr.map(value => (value instanceof PackedValue ? valueIn(value.bytes) : value))
  }
  return content
}

const valueIn = (bytes: Uint8Array): unknown => decoding.readAny(decoding.createDecoder(bytes))
