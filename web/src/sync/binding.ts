/**
 * Binds a tldraw store to a board's document, both ways.
 *
 *   store ── the user's changes, gathered ── once per frame: one transaction, only fields that differ ──▶ document
 *   store ◀── checked record by record, as remote changes: no echo, no undo ── what others changed ────── document
 *
 * Before anything of the document is read, what the user has changed is written to it. So a peer's change of one field
 * never takes back the user's change of another, however close together they come.
 */
import type { TLStore } from '@tldraw/tlschema'
import type * as Y from 'yjs'
import { recordsOf } from '../../../core/doc/record-layout.ts'
import { type OncePerFrame, oncePerFrame } from './frame.ts'
import { LocalChanges, writeChanges } from './local-changes.ts'
import { keepUndoOwn, PeerFields } from './own-undo.ts'
import { plain } from './plain.ts'
import { RemoteChanges } from './remote-changes.ts'

export interface Binding {
  /** Writes what the user has changed and is not yet in the document. */
  flush(): void
  stop(): void
}

/**
 * Loads the board into the store and keeps the two equal from then on. Call once the document is complete (after the
 * first sync), before an editor uses the store.
 */
export function bindStore(
  store: TLStore,
  doc: Y.Doc,
  perFrame: (run: () => void) => OncePerFrame = oncePerFrame,
): Binding {
  const origin = { is: 'this page' }
  const local = new LocalChanges()
  const peerFields = new PeerFields()
  const remote = new RemoteChanges(store, doc, peerFields)
  const frame = perFrame(flush)

  remote.merge(recordsOf(doc).keys())
  // Also when the board is empty: after a merge tldraw adds what a store cannot do without, here before anyone listens.
  store.mergeRemoteChanges(() => {})

  function flush(): void {
    // The store hands its changes to listeners once per frame; this asks for them now.
    store._flushHistory()
    const changes = local.take()
    for (const { before, after } of changes.values()) {
      if (before && after) peerFields.userChanged(plain(before), plain(after))
    }
    writeChanges(store, doc, changes, origin)
  }

  function mergeEvents(events: Y.YEvent<Y.AbstractType<unknown>>[], transaction: Y.Transaction): void {
    if (transaction.origin === origin) return
    flush()
    remote.merge(changedRecords(events))
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
  recordsOf(doc).observeDeep(mergeEvents)

  return {
    flush,
    stop() {
      flush()
      frame.cancel()
      recordsOf(doc).unobserveDeep(mergeEvents)
      stopKeeping()
      stopNoticing()
      stopListening()
    },
  }
}

/** The ids of the records these events are about: keys of the map itself, or the map entry something changed within. */
function changedRecords(events: Y.YEvent<Y.AbstractType<unknown>>[]): Set<string> {
  const ids = new Set<string>()
  for (const event of events) {
    const [id] = event.path
    if (id !== undefined) ids.add(String(id))
    else for (const key of (event as Y.YMapEvent<unknown>).keysChanged) ids.add(key)
  }
  return ids
}
