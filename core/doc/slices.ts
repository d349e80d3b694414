/**
 * A board's whole state cut into small updates, each of which needs only those before it. Applied one after the other,
 * with other work between them, they make the same document as the state at once would, and stop nobody. Pure.
 */
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { contentAny, takeAny } from '../base/any-bytes.ts'
import { joined, varUints, written } from '../base/byte-parts.ts'
import type { DocumentBytes } from '../store/state-bytes.ts'

/** Of V1 bytes: Yjs applies them in some 20 ms. */
const sliceBytes = 128 * 1024
const deletionsPerSlice = 20_000

/** A state that is smaller is read at once, in some 50 ms, and cut when somebody opens it. */
export const cutFromBytes = 512 * 1024
/** With less for each struct more than half of it is history: 6 to 15 bytes for each in V1, and next to none in V2. A note has 450. */
const leastPerStruct = 24

/** @param bytes of its state as V1. @returns whether it is to lie in its snapshot cut */
export function isBestCut(bytes: number, { store }: Y.Doc): boolean {
  if (bytes < cutFromBytes) return false
  let structs = 0
  for (const own of store.clients.values()) structs += own.length
  return bytes >= leastPerStruct * structs
}

type Struct = ReturnType<typeof Y.decodeUpdateV2>['structs'][number]
type Deletions = ReturnType<typeof Y.decodeUpdateV2>['ds']

/** @param state the whole state as a Yjs V2 update. @throws Error when it cannot be read, or is not whole */
export function slicesOf(state: Uint8Array): DocumentBytes {
  const { structs, ds } = Y.decodeUpdateV2(state, BytesDecoder)
  const byClient = new Map<number, Struct[]>()
  for (const struct of structs) {
    const own = byClient.get(struct.id.client)
    if (own) own.push(struct)
    else byClient.set(struct.id.client, [struct])
  }
  const slices = [...cut(byClient, ds, () => new BytesEncoder())]
  const clocks = [...byClient].map(([client, own]) => [client, endOf(own.at(-1))] as const)
  return { slices, stateVector: Y.encodeStateVector(new Map(clocks)) }
}

/** @param byClient all structs of a document, of each client by clock. @throws Error when some are missing */
export function* cut(
  byClient: ReadonlyMap<number, readonly Struct[]>,
  ds: Deletions,
  newEncoder: () => Y.UpdateEncoderV1,
): Generator<Uint8Array> {
  const slice = new Slice(newEncoder)
  for (const struct of inOrder(byClient)) {
    slice.add(struct)
    if (slice.bytes >= sliceBytes) yield slice.take()
  }
  if (slice.bytes > 0) yield slice.take()
  yield* deletionSlices(ds)
}

/**
 * As Yjs's own encoders write clients, and as `Y.mergeUpdates` has to find them: in another order it loses structs. Snapshots that
 * were cut before this was heeded still hold slices that cannot be merged.
 */
export const highestFirst = <T>(byClient: ReadonlyMap<number, T>): [number, T][] =>
  [...byClient].sort(([one], [other]) => other - one)

const endOf = (struct: Struct | undefined): number => (struct ? struct.id.clock + struct.length : 0)

/** The structs so that each comes after those it refers to; those of one client in the order of their clocks. */
function* inOrder(byClient: ReadonlyMap<number, readonly Struct[]>): Iterable<Struct> {
  const given = new Map<number, { next: number; clock: number }>()
  for (const client of byClient.keys()) given.set(client, { next: 0, clock: 0 })
  const lacking = (id: unknown, own: number): Y.ID | undefined =>
    id instanceof Y.ID && id.client !== own && id.clock >= (given.get(id.client)?.clock ?? 0) ? id : undefined

  // What is wanted of one client is never wanted for something of the same: it would be older than itself.
  const isInRing = (wanted: readonly unknown[]) => wanted.length > byClient.size
  for (const [first, own] of byClient) {
    const wanted = [{ client: first, clock: endOf(own.at(-1)) - 1 }]
    for (let want = wanted.at(-1); want; want = wanted.at(-1)) {
      const at = given.get(want.client)
      const struct = at && byClient.get(want.client)?.[at.next]
      if (at && at.clock > want.clock) {
        wanted.pop()
      } else if (!at || !struct || struct instanceof Y.Skip || struct.id.clock !== at.clock || isInRing(wanted)) {
        throw new Error(`the state is not whole: client ${want.client} at ${at?.clock}`)
      } else {
        const { origin, rightOrigin, parent } = struct as Partial<Y.Item>
        // Of a struct in a document it is the type itself.
        const parentId = parent instanceof Y.AbstractType ? parent._item?.id : parent
        const missing =
          lacking(origin, want.client) ?? lacking(rightOrigin, want.client) ?? lacking(parentId, want.client)
        if (missing) wanted.push(missing)
        else {
          at.next += 1
          at.clock = endOf(struct)
          yield struct
        }
      }
    }
  }
}

/** Leaves plain values as bytes. They are most of a board, and V1 writes them as V2 does. */
class BytesDecoder extends Y.UpdateDecoderV2 {
  #content = 0

  override readInfo(): number {
    const info = super.readInfo()
    this.#content = info & 31
    return info
  }

  override readAny(): unknown {
    return this.#content === contentAny ? takeAny(this.restDecoder) : super.readAny()
  }
}

class BytesEncoder extends Y.UpdateEncoderV1 {
  override writeAny(value: unknown): void {
    if (value instanceof Uint8Array) encoding.writeUint8Array(this.restEncoder, value)
    else super.writeAny(value)
  }
}

/** An update under way: its structs by client. It is used again for the next: megabytes of new memory cost more than to fill them. */
class Slice {
  readonly #newEncoder: () => Y.UpdateEncoderV1
  readonly #clients = new Map<number, { clock: number; count: number; encoder: Y.UpdateEncoderV1 }>()
  readonly #encoders: Y.UpdateEncoderV1[] = []
  bytes = 0

  constructor(newEncoder: () => Y.UpdateEncoderV1) {
    this.#newEncoder = newEncoder
  }

  add(struct: Struct): void {
    const { client, clock } = struct.id
    let own = this.#clients.get(client)
    if (!own) {
      own = { clock, count: 0, encoder: this.#emptyEncoder(this.#clients.size) }
      this.#clients.set(client, own)
    }
    const before = encoding.length(own.encoder.restEncoder)
    struct.write(own.encoder, 0)
    own.count += 1
    this.bytes += encoding.length(own.encoder.restEncoder) - before
  }

  /** What was added, as an update; from here on it is empty. */
  take(): Uint8Array {
    const parts = [varUints(this.#clients.size)]
    for (const [client, { clock, count, encoder }] of highestFirst(this.#clients)) {
      parts.push(varUints(count, client, clock), ...written(encoder.restEncoder))
    }
    parts.push(Uint8Array.of(0)) // no deletions
    this.#clients.clear()
    this.bytes = 0
    return joined(parts)
  }

  #emptyEncoder(index: number): Y.UpdateEncoderV1 {
    const encoder = this.#encoders[index] ?? this.#newEncoder()
    this.#encoders[index] = encoder
    encoder.restEncoder.bufs.length = 0
    encoder.restEncoder.cpos = 0 // of the last buffer, which is the biggest of them
    return encoder
  }
}

type Ranges = readonly { clock: number; len: number }[]

/** Of many clients together: Yjs looks at every client of the document for each update that it applies. */
function* deletionSlices({ clients }: Deletions): Iterable<Uint8Array> {
  let some: [number, Ranges][] = []
  let room = deletionsPerSlice
  for (const [client, ranges] of clients) {
    for (let from = 0; from < ranges.length; ) {
      const next = ranges.slice(from, from + room)
      some.push([client, next])
      from += next.length
      room -= next.length
      if (room > 0) continue
      yield deletions(some)
      some = []
      room = deletionsPerSlice
    }
  }
  if (some.length > 0) yield deletions(some)
}

/** An update of nothing else. */
function deletions(byClient: readonly [number, Ranges][]): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, 0)
  encoding.writeVarUint(encoder, byClient.length)
  for (const [client, ranges] of byClient) {
    encoding.writeVarUint(encoder, client)
    encoding.writeVarUint(encoder, ranges.length)
    for (const { clock, len } of ranges) {
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarUint(encoder, len)
    }
  }
  return encoding.toUint8Array(encoder)
}
