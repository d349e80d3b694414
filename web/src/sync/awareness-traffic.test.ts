import { ObservableV2 } from 'lib0/observable'
import { describe, expect, it, vi } from 'vitest'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { type AwarenessProvider, tameAwareness } from './awareness-traffic.ts'

/** As much of a WebsocketProvider as awareness has to do with. */
class Provider extends ObservableV2<{ status: (event: { status: 'connected' | 'disconnected' }) => void }> {
  readonly awareness = new Awareness(new Y.Doc())
  readonly _awarenessUpdateHandler = vi.fn()
  /** By message type: sync, awareness. They have nothing to do here but to be called. */
  readonly messageHandlers = [() => {}, () => {}]

  constructor(name: string) {
    super()
    this.awareness.on('update', this._awarenessUpdateHandler)
    tameAwareness(this as unknown as AwarenessProvider)
    this.awareness.setLocalState({ user: { name } })
  }

  hear(other: Awareness, client = other.clientID): void {
    applyAwarenessUpdate(this.awareness, encodeAwarenessUpdate(other, [client]), this)
  }

  /** Something comes from the server, so long after this page last told of itself. */
  receive(messageType: 0 | 1, afterMs: number): void {
    const own = this.awareness.meta.get(this.awareness.clientID)
    if (own) own.lastUpdated -= afterMs
    this.messageHandlers[messageType]?.()
  }

  /** What y-websocket does when the socket is lost. */
  disconnect(): void {
    const others = [...this.awareness.getStates().keys()].filter(client => client !== this.awareness.clientID)
    removeAwarenessStates(this.awareness, others, this)
    this.emit('status', [{ status: 'disconnected' }])
  }

  connect(): void {
    this.emit('status', [{ status: 'connected' }])
  }
}

const sentBy = (provider: Provider): number[] =>
  provider._awarenessUpdateHandler.mock.calls.flatMap(([{ added, updated, removed }]) => [
    ...added,
    ...updated,
    ...removed,
  ])

const sees = (one: Provider, other: Provider): boolean => one.awareness.getStates().has(other.awareness.clientID)

describe('a page tells the server', () => {
  it('of its own user, and not what it heard from the server', () => {
    const [alice, bob] = [new Provider('Alice'), new Provider('Bob')]
    alice.hear(bob.awareness)
    alice.awareness.setLocalStateField('cursor', { x: 1, y: 2 })
    expect(new Set(sentBy(alice))).toEqual(new Set([alice.awareness.clientID]))
  })

  it('that it is still here, when the server thought it was gone', () => {
    const [alice, server] = [new Provider('Alice'), new Awareness(new Y.Doc())]
    applyAwarenessUpdate(server, encodeAwarenessUpdate(alice.awareness, [alice.awareness.clientID]), 'alice')
    removeAwarenessStates(server, [alice.awareness.clientID], 'timeout')
    alice._awarenessUpdateHandler.mockClear()
    alice.hear(server, alice.awareness.clientID)
    expect(sentBy(alice)).toEqual([alice.awareness.clientID])
  })
})

describe('a page whose timers the browser slows down', () => {
  it.each([0, 1] as const)('tells that it is still here when a message of type %i reminds it', messageType => {
    const alice = new Provider('Alice')
    alice._awarenessUpdateHandler.mockClear()
    alice.receive(messageType, 16_000)
    expect(sentBy(alice)).toEqual([alice.awareness.clientID])
    alice.receive(messageType, 1_000)
    expect(sentBy(alice)).toHaveLength(1)
  })

  it('is seen by those who saw it', () => {
    const [alice, bob] = [new Provider('Alice'), new Provider('Bob')]
    bob.hear(alice.awareness)
    const clockBefore = bob.awareness.meta.get(alice.awareness.clientID)?.clock ?? 0
    alice.receive(1, 16_000)
    bob.hear(alice.awareness)
    expect(bob.awareness.meta.get(alice.awareness.clientID)?.clock).toBe(clockBefore + 1)
  })

  it('says nothing when it shows nobody', () => {
    const alice = new Provider('Alice')
    alice.awareness.setLocalState(null)
    alice._awarenessUpdateHandler.mockClear()
    alice.receive(1, 16_000)
    expect(sentBy(alice)).toEqual([])
  })
})

describe('after a reconnect', () => {
  it('the page sees those who stayed, at once', () => {
    const [alice, bob] = [new Provider('Alice'), new Provider('Bob')]
    alice.hear(bob.awareness)
    alice.disconnect()
    expect(sees(alice, bob)).toBe(false)
    alice.connect()
    alice.hear(bob.awareness)
    expect(sees(alice, bob)).toBe(true)
  })

  it('those who stayed see the page, at once', () => {
    const [alice, bob] = [new Provider('Alice'), new Provider('Bob')]
    bob.hear(alice.awareness)
    removeAwarenessStates(bob.awareness, [alice.awareness.clientID], 'server')
    alice.disconnect()
    alice.connect()
    bob.hear(alice.awareness)
    expect(sees(bob, alice)).toBe(true)
  })
})
