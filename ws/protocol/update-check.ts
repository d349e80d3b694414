/**
 * Is this a well-formed Yjs update (V1) that can be applied? Asked before one is, because applying is not atomic: what
 * stops half-way leaves the other half in the document. Pure.
 */
import * as Y from 'yjs'
import { contentAny, deepestValue, takeAny } from '../../core/base/any-bytes.ts'
import { SyncError } from '../../core/base/errors.ts'

/** A struct this long hides as many later edits of the client it claims to be from; honest ones are far below. */
const longestStruct = 2 ** 26
const highestClock = 2 ** 48
/** Each takes about 100 bytes of memory while it is read, and can be two bytes long on the wire. */
const structsAtMost = 2 ** 21
/**
 * @param doc the document it is about to be applied to
 * @throws SyncError `frame-malformed`, bytes left over included
 */
export function checkUpdate(update: Uint8Array, doc: Y.Doc): void {
  try {
    const { structs, ds } = partsOf(update)
    for (const ranges of ds.clients.values()) {
      for (const { clock, len } of ranges) {
        if (!(len > 0 && clock + len <= highestClock)) throw new Error(`deletion of length ${len} at clock ${clock}`)
      }
    }
    for (const struct of structs) {
      const { id, length } = struct
      if (!(length > 0 && length <= longestStruct && id.clock + length <= highestClock)) {
        throw new Error(`struct of length ${length} at clock ${id.clock}`)
      }
      if (struct instanceof Y.Item && refersAhead(struct))
        throw new Error('an item refers to a later one of its client')
      if (struct instanceof Y.Item && contradicts(struct, doc)) throw new Error('an item goes on where there is none')
    }
    // A level of nesting takes two bytes.
    if (update.byteLength > 2 * deepestValue && structs.some(isNestedTooDeep)) throw new Error('nested too deep')
  } catch (error) {
    // RangeError included: content nested deeper than the stack.
    throw new SyncError('frame-malformed', 'malformed update', { cause: error })
  }
}

/**
 * For each client of the update the clock behind its last struct. What does not go into a document is not checked further.
 * @throws SyncError `frame-malformed`, bytes left over included
 */
export function clocksAfter(update: Uint8Array): ReadonlyMap<number, number> {
  try {
    const clocks = new Map<number, number>()
    for (const struct of partsOf(update).structs) {
      const { id, length } = struct
      if (!(struct instanceof Y.Skip)) clocks.set(id.client, id.clock + length)
    }
    return clocks
  } catch (error) {
    throw new SyncError('frame-malformed', 'malformed update', { cause: error })
  }
}

type Struct = ReturnType<typeof Y.decodeUpdateV2>['structs'][number]

function partsOf(update: Uint8Array): ReturnType<typeof Y.decodeUpdateV2> {
  try {
    const parts = Y.decodeUpdateV2(update, WatchedDecoder)
    const rest = latest?.restDecoder
    if (rest?.pos !== rest?.arr.length) throw new Error('bytes left over')
    return parts
  } finally {
    latest = undefined
  }
}

/** The decoder at work: `decodeUpdateV2` does not tell where it stopped. */
let latest: WatchedDecoder | undefined

/** Yjs's own decoder, which also refuses what Yjs itself never writes. Plain values it steps over: nobody needs them here. */
class WatchedDecoder extends Y.UpdateDecoderV1 {
  readonly #clients = new Set<number>()
  #structs = 0
  #content = 0

  constructor(decoder: ConstructorParameters<typeof Y.UpdateDecoderV1>[0]) {
    super(decoder)
    latest = this
  }

  /** Once per client: of two lists Yjs applies only the last, but merges both. */
  override readClient(): number {
    const client = super.readClient()
    if (this.#clients.has(client)) throw new Error('two lists of structs for one client')
    this.#clients.add(client)
    return client
  }

  /** Once per struct. */
  override readInfo(): number {
    this.#structs += 1
    if (this.#structs > structsAtMost) throw new Error('too many structs')
    const info = super.readInfo()
    this.#content = info & 31
    return info
  }

  override readAny(): unknown {
    return this.#content === contentAny ? takeAny(this.restDecoder, deepestValue) : super.readAny()
  }
}

/** Of another client a missing item is waited for; of its own Yjs takes it to be there, and throws when it is not. */
const refersAhead = ({ id, origin, rightOrigin, parent }: Y.Item): boolean =>
  [origin, rightOrigin, parent].some(
    other => other instanceof Y.ID && other.client === id.client && other.clock >= id.clock,
  )

/** An item that the document has the first half of, as something else: Yjs throws when it looks for that half. */
function contradicts({ id, length }: Y.Item, doc: Y.Doc): boolean {
  const last = doc.store.clients.get(id.client)?.at(-1)
  if (last === undefined || last instanceof Y.Item) return false
  const state = last.id.clock + last.length
  return id.clock < state && state < id.clock + length
}

const isNestedTooDeep = (struct: Struct): boolean =>
  struct instanceof Y.Item && plainValues(struct.content).some(value => isDeeperThan(deepestValue, value))

/** Those that the decoder did not step over. */
function plainValues(content: Y.Item['content']): unknown[] {
  if (content instanceof Y.ContentJSON) return content.arr
  if (content instanceof Y.ContentEmbed) return [content.embed]
  if (content instanceof Y.ContentFormat) return [content.value]
  if (content instanceof Y.ContentDoc) return [content.opts]
  return []
}

/** Read from an update, a key `__proto__` sets the prototype: what hides there counts too. */
function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false
  if (levels === 0) return true
  const inner: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  if (inner.some(one => isDeeperThan(levels - 1, one))) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype !== Object.prototype && prototype !== Array.prototype && isDeeperThan(levels - 1, prototype)
}
