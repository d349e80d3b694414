import { atom } from '@tldraw/state'
import {
  InstancePresenceRecordType,
  PageRecordType,
  PointerRecordType,
  TLPOINTER_ID,
  type TLStore,
} from '@tldraw/tlschema'
import type { IndexKey } from '@tldraw/utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { announce, peerUserId } from './announce.ts'
import { longestStateChars } from './awareness-state.ts'
import { showPeers } from './peers.ts'
import { openPage } from './testing.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const otter = { id: 'browser-1', name: 'Amber Otter', color: '#d6336c' }

/** A board page with its awareness; `hear` takes another's whole state in, as the server would relay it. */
function present(user = otter) {
  const { store, doc } = openPage()
  const awareness = new Awareness(doc)
  const stop = announce(store, awareness, atom('user', user))
  const stopShowing = showPeers(store, awareness)
  return {
    store,
    awareness,
    stop,
    stopShowing,
    hear(other: Awareness) {
      const news = encodeAwarenessUpdate(other, [other.clientID])
      applyAwarenessUpdate(awareness, news, 'server')
    },
  }
}

function stockClient(state: Record<string, unknown>): Awareness {
  const awareness = new Awareness(new Y.Doc())
  awareness.setLocalState(state)
  return awareness
}

const shown = (store: TLStore, clientId: number) => store.get(InstancePresenceRecordType.createId(String(clientId)))

function point(store: TLStore, x: number, y: number): void {
  store.put([PointerRecordType.create({ id: TLPOINTER_ID, x, y, lastActivityTimestamp: Date.now() })])
}

describe('what a page tells about its user', () => {
  it('is name, colour, kind, cursor and selection, in the words any client understands', () => {
    const { store, awareness } = present()
    point(store, 10.123, 20)
    vi.advanceTimersByTime(50)
    expect(awareness.getLocalState()).toMatchObject({
      user: { name: 'Amber Otter', color: '#d6336c', type: 'human' },
      cursor: { x: 10.1, y: 20 },
      selection: [],
    })
  })

  it('has no cursor before the pointer was seen', () => {
    expect(present().awareness.getLocalState()).toMatchObject({ cursor: null })
  })

  it('goes out at most 25 times a second, and ends with where the pointer is', () => {
    const { store, awareness } = present()
    const updates = vi.fn()
    awareness.on('update', updates)
    for (let ms = 0; ms < 1000; ms += 5) {
      point(store, ms, ms)
      vi.advanceTimersByTime(5)
    }
    vi.advanceTimersByTime(100)
    expect(updates.mock.calls.length).toBeLessThanOrEqual(27)
    expect(awareness.getLocalState()).toMatchObject({ cursor: { x: 995, y: 995 } })
  })

  it('stays below the size that servers drop', () => {
    const { store, awareness } = present()
    const selected = Array.from({ length: 5000 }, (_, i) => `shape:${i}`)
    const pageState = store.allRecords().find(record => record.typeName === 'instance_page_state')
    if (pageState) store.put([{ ...pageState, selectedShapeIds: selected as never }])
    vi.advanceTimersByTime(50)
    const state = awareness.getLocalState()
    expect(state?.selection.length).toBeGreaterThan(0)
    expect(JSON.stringify(state).length).toBeLessThan(longestStateChars)
  })

  it('is taken back when the page is left', () => {
    const { awareness, stop } = present()
    stop()
    expect(awareness.getLocalState()).toBeNull()
  })
})

describe('what a page shows of others', () => {
  it('is a cursor with name and colour, wherever the other one points', () => {
    const [alice, bob] = [present(), present({ id: 'browser-2', name: 'Swift Heron', color: '#1971c2' })]
    point(bob.store, 70, 80)
    vi.advanceTimersByTime(50)
    alice.hear(bob.awareness)
    expect(shown(alice.store, bob.awareness.clientID)).toMatchObject({
      userName: 'Swift Heron',
      color: '#1971c2',
      userId: peerUserId(bob.awareness.clientID),
      cursor: { x: 70, y: 80 },
      currentPageId: 'page:page',
    })
  })

  it('works for a stock client that sends a user and a cursor only', () => {
    const alice = present()
    const agent = stockClient({ user: { name: 'agent-7', color: '#fff', type: 'agent' }, cursor: { x: 1, y: 2 } })
    alice.hear(agent)
    expect(shown(alice.store, agent.clientID)).toMatchObject({ userName: 'agent-7', cursor: { x: 1, y: 2 } })
  })

  it('is on the page that agents draw on, also where another page comes before it', () => {
    const alice = present()
    const id = PageRecordType.createId('before')
    alice.store.put([PageRecordType.create({ id, name: 'Before', index: 'a0' as IndexKey })])
    const agent = stockClient({ user: { name: 'agent-7', type: 'agent' }, cursor: { x: 1, y: 2 } })
    alice.hear(agent)
    expect(shown(alice.store, agent.clientID)).toMatchObject({ currentPageId: 'page:page' })
  })

  it.each([
    ['a colour that is none', { user: { name: 'X', color: 'url(//evil)' }, cursor: { x: 1, y: 2 } }],
    ['a cursor that is nowhere', { user: { name: 'X' }, cursor: { x: Number.NaN, y: 'left' } }],
    ['extras of another make', { user: { name: 'X' }, cursor: { x: 1, y: 2 }, presence: { camera: 'here', junk: 1 } }],
    ['no name', { user: {}, cursor: { x: 1, y: 2 } }],
    ['a name without end', { user: { name: 'x'.repeat(9999) } }],
  ])('survives %s', (_, state) => {
    const alice = present()
    const stranger = stockClient(state)
    alice.hear(stranger)
    const record = shown(alice.store, stranger.clientID)
    expect(record?.color).toMatch(/^#[0-9a-f]{6}$/)
    expect(record?.userName).toMatch(/^.{1,60}$/)
  })

  it('shows nobody for a state without a user', () => {
    const alice = present()
    const silent = stockClient({ cursor: { x: 1, y: 2 } })
    alice.hear(silent)
    expect(shown(alice.store, silent.clientID)).toBeUndefined()
  })

  it('believes its own clock about who is idle', () => {
    const alice = present()
    vi.setSystemTime(1_000_000)
    const bob = stockClient({ user: { name: 'Bob' }, presence: { lastActivityTimestamp: 5 }, cursor: { x: 1, y: 1 } })
    alice.hear(bob)
    expect(shown(alice.store, bob.clientID)?.lastActivityTimestamp).toBe(1_000_000)
    vi.setSystemTime(2_000_000)
    bob.setLocalState({ ...bob.getLocalState(), note: 'still the same activity' })
    alice.hear(bob)
    expect(shown(alice.store, bob.clientID)?.lastActivityTimestamp).toBe(1_000_000)
  })

  it('ends when they leave, and when the board is closed', () => {
    const alice = present()
    const [bob, carol] = [stockClient({ user: { name: 'Bob' } }), stockClient({ user: { name: 'Carol' } })]
    alice.hear(bob)
    alice.hear(carol)
    bob.setLocalState(null)
    alice.hear(bob)
    expect(shown(alice.store, bob.clientID)).toBeUndefined()
    expect(shown(alice.store, carol.clientID)).toBeDefined()
    alice.stopShowing()
    expect(shown(alice.store, carol.clientID)).toBeUndefined()
  })
})
