/**
 * Binds a tldraw store to a board's document, both ways.
 *
 *   store ── the user's changes, gathered ── once per frame: one transaction, only fields that differ ──▶ document
 *   store ◀── checked record by record, as remote changes: no echo, no undo ── what others changed ────── document
 *
 * Before anything of a record is read from the document, what the user has changed of it is written there. So a peer's
 * change of one field never takes back the user's change of another, however close together they come.
 */
import type { TLRecord, TLStore } from '@tldraw/tlschema'
import type * as Y from 'yjs'
import { changedIn, metaOf, recordsOf } from '../../../core/doc/record-layout.ts'
import { watchEditedText } from './edited-text.ts'
import { type OncePerFrame, oncePerFrame } from './frame.ts'
import { editsAmong, LocalChanges, writeChanges } from './local-changes.ts'
import { keepUndoOwn, PeerFields } from './own-undo.ts'
import { plain } from './plain.ts'
import { RemoteChanges } from './remote-changes.ts'
import { schemaAge } from './schema-version.ts'
import { StrokePace } from './stroke-pace.ts'

export interface Binding {
  /** Edits that wait to be written to the document. */
  readonly hasWaiting: boolean
  /** The board is of a newer tldraw than this page: nothing is written any more. */
  readonly isOutdated: boolean
  /** Ids of the board's records that cannot be shown. */
  readonly setAside: ReadonlySet<string>
  /** Writes all that the user has changed and is not yet in the document. */
  flush(): void
  /** Call when this user may edit again: what changed in the store meanwhile is as the document has it after this. */
  catchUp(): void
  stop(): void
}

export interface BindingOptions {
  perFrame?: (run: () => void) => OncePerFrame
  pace?: StrokePace
  /**
   * While this user may not, nothing is written: tldraw takes no edits from them then, but makes changes of its own (it
   * unbinds an arrow whose shape is gone), which would be refused and count as unsaved for ever.
   */
  mayEdit?: () => boolean
  /** Called before records leave the store because a peer deleted them, while all of it can still be changed. */
  beforeRemoval?: (gone: ReadonlySet<string>) => void
  /** Called when one of the above may be another. */
  onChange?: () => void
}

/**
 * Loads the board into the store and keeps the two equal from then on. Call once the document is complete (after the
 * first sync), before an editor uses the store.
 */
export function bindStore(store: TLStore, doc: Y.Doc, options: BindingOptions = {}): Binding {
  const { perFrame = oncePerFrame, pace = new StrokePace(), mayEdit = () => true } = options
  const { beforeRemoval = () => {}, onChange = () => {} } = options
  const origin = { is: 'this page' }
  const local = new LocalChanges()
  /** Ids of what changed in the store while nothing was written. */
  const unwritten = new Set<string>()
  const peerFields = new PeerFields()
  const remote = new RemoteChanges(store, doc, peerFields)
  const frame = perFrame(() => write((_, change) => pace.mayWait(change.before, change.after)))
  let isOutdated = schemaAge(doc, store.schema) === 'newer'

  let hasWritten = false

  remote.load()
  // Also when the board is empty: after a merge tldraw adds what a store cannot do without, here before anyone listens.
  store.mergeRemoteChanges(() => {})

  /** @param mayWait which changes are left for a later frame */
  function write(mayWait: Parameters<LocalChanges['take']>[0]): void {
    if (isOutdated) return
    // The store hands its changes to listeners once per frame; this asks for them now.
    store._flushHistory()
    if (!mayEdit()) {
      const dropped = local.take(() => false)
      for (const [id] of editsAmong(doc, dropped)) unwritten.add(id)
      return
    }
    const changes = local.take(mayWait)
    for (const { before, after } of changes.values()) {
      if (before && after) peerFields.userChanged(plain(before), plain(after))
      if (after) pace.wrote(after)
    }
    let looseEnds: string[] = []
    writeChanges(store, doc, changes, origin, () => {
      looseEnds = remote.putLooseEnds(origin)
    })
    remote.merge(looseEnds)
    if (local.hasSome) frame.request()
    onChange()
  }

  const flush = () => write(() => false)

  function catchUp(): void {
    if (unwritten.size === 0) return
    flush()
    const ids = [...unwritten]
    unwritten.clear()
    remote.merge(ids)
    onChange()
  }

  function mergeEvents(events: Y.YEvent<Y.AbstractType<unknown>>[], transaction: Y.Transaction): void {
    const changed = new Set(events.flatMap(event => [...changedIn(event)]))
    if (transaction.origin === origin) noteOwn(changed)
    else mergePeers(changed)
    // Who only looks writes nothing, nor does who may not: until the server says so, nobody knows whether this user may.
    if (hasWritten && !isOutdated && store.props.collaboration?.mode?.get() !== 'readonly')
      remote.writeLooseEnds(origin)
    onChange()
  }

  function mergePeers(changed: Set<string>): void {
    const gone = [...changed].filter(id => !recordsOf(doc).has(id) && store.has(id as TLRecord['id']))
    if (gone.length > 0) beforeRemoval(new Set(gone))
    const ids = remote.affectedBy(changed)
    write((id, change) => !ids.has(id) && pace.mayWait(change.before, change.after))
    remote.merge(ids)
  }

  function noteOwn(ids: Set<string>): void {
    hasWritten = true
    // A peer may have deleted what this user's edits lie in, or put something into it, before they were written.
    remote.mergeShifted(ids)
  }

  function checkSchema(): void {
    isOutdated = schemaAge(doc, store.schema) === 'newer'
    onChange()
  }

  const stopListening = store.listen(
    ({ changes }) => {
      local.gather(changes)
      frame.request()
    },
    { source: 'user', scope: 'document' },
  )
  // Listeners are called in animation frames, which hidden tabs don't get; this is called at once.
  const stopNoticing = store.sideEffects.registerOperationCompleteHandler(source => {
    if (source === 'user') frame.request()
  })
  const stopKeeping = keepUndoOwn(store, peerFields)
  const stopWatching = watchEditedText(store, () => {
    flush()
    remote.mergeHeldText()
  })
  recordsOf(doc).observeDeep(mergeEvents)
  metaOf(doc).observe(checkSchema)

  return {
    get hasWaiting() {
      return local.hasSome && !isOutdated && mayEdit()
    },
    get isOutdated() {
      return isOutdated
    },
    setAside: remote.setAside,
    flush,
    catchUp,
    stop() {
      flush()
      frame.cancel()
      metaOf(doc).unobserve(checkSchema)
      recordsOf(doc).unobserveDeep(mergeEvents)
      stopWatching()
      remote.stop()
      stopKeeping()
      stopNoticing()
      stopListening()
    },
  }
}
