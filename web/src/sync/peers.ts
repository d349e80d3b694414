/** Shows the others: every awareness state becomes a presence record, from which tldraw draws a named, coloured cursor. */
import {
  InstancePresenceRecordType,
  type TLInstancePresence,
  type TLInstancePresenceID,
  type TLPage,
  type TLPageId,
  type TLStore,
} from '@tldraw/tlschema'
import type { Awareness } from 'y-protocols/awareness'
import { usualPage } from '../../../core/doc/usual-page.ts'
import { peerUserId } from './announce.ts'
import { readCursor, readExtras, readSelection, readUser } from './awareness-state.ts'

interface AwarenessChange {
  added: number[]
  updated: number[]
  removed: number[]
}

/** Returns the way to stop, which takes all peers off the canvas. */
export function showPeers(store: TLStore, awareness: Awareness): () => void {
  // Asked for once: every query begins with a look at all records.
  const pages = store.query.records('page')
  /** When each peer was last seen doing something, by our own clock: theirs may be minutes off. */
  const activity = new Map<number, { mark: unknown; at: number }>()

  function show(clientIds: number[]): void {
    const present: TLInstancePresence[] = []
    const gone: TLInstancePresenceID[] = []
    for (const clientId of clientIds) {
      if (clientId === awareness.clientID) continue
      const record = presenceOf(store, pages.get(), clientId, awareness.getStates().get(clientId), seenAt)
      if (record) present.push(record)
      else gone.push(presenceId(clientId))
    }
    if (present.length + gone.length === 0) return
    store.mergeRemoteChanges(() => {
      store.put(present)
      store.remove(gone)
    })
  }

  function seenAt(clientId: number, mark: unknown): number {
    const known = activity.get(clientId)
    if (known && known.mark === mark) return known.at
    const at = Date.now()
    activity.set(clientId, { mark, at })
    return at
  }

  const onChange = ({ added, updated, removed }: AwarenessChange) => {
    for (const clientId of removed) activity.delete(clientId)
    show([...added, ...updated, ...removed])
  }
  awareness.on('change', onChange)
  show([...awareness.getStates().keys()])

  return () => {
    awareness.off('change', onChange)
    const shown = store.allRecords().filter(record => record.typeName === 'instance_presence')
    store.mergeRemoteChanges(() => store.remove(shown.map(record => record.id)))
  }
}

const presenceId = (clientId: number): TLInstancePresenceID => InstancePresenceRecordType.createId(String(clientId))

/** Undefined where the state names no user. Of a stock client, which sends a user and a cursor only, the rest is assumed. */
function presenceOf(
  store: TLStore,
  pages: readonly TLPage[],
  clientId: number,
  state: unknown,
  seenAt: (clientId: number, mark: unknown) => number,
): TLInstancePresence | undefined {
  const user = readUser(clientId, state)
  if (!user) return undefined
  const cursor = readCursor(state)
  const { cursorType, cursorRotation, lastActivityTimestamp, ...extras } = readExtras(state)
  const basics = InstancePresenceRecordType.create({
    id: presenceId(clientId),
    userId: peerUserId(clientId),
    userName: user.name,
    color: user.color,
    currentPageId: usualPage(pages) as TLPageId,
    cursor: cursor && { ...cursor, type: 'default', rotation: 0 },
    lastActivityTimestamp: seenAt(clientId, lastActivityTimestamp ?? `${cursor?.x} ${cursor?.y}`),
  })
  const full = {
    ...basics,
    ...extras,
    selectedShapeIds: readSelection(state),
    cursor: cursor && { ...cursor, type: cursorType, rotation: cursorRotation },
  }
  return isPresence(store, full) ? full : basics
}

function isPresence(store: TLStore, record: object): record is TLInstancePresence {
  try {
    store.schema.types.instance_presence.validate(record)
    return true
  } catch {
    // A stranger's state: what tldraw would not take is left out, name and cursor stay.
    return false
  }
}
