import { describe, expect, test, vi } from 'vitest'
import * as Y from 'yjs'
import { SyncError } from '../../core/base/errors.ts'
import type { Actor } from '../../core/contract/actor.ts'
import { parseBoardId } from '../../core/contract/board-id.ts'
import { CommitLine } from './commit-line.ts'

const board = parseBoardId('board-1')

/** A line whose commits the test plays, and everything that left it, in order. */
function line() {
  const left: string[] = []
  const wake = vi.fn()
  let seq = 0
  const owner = {
    known: () => seq,
    onCommitted: vi.fn((_committed: unknown, updates: readonly Uint8Array[], _known: number) => {
      left.push(`broadcast ${updates.map(textOf).join('+')}`)
    }),
    onGivenUp: vi.fn((_error: SyncError) => line.close()),
  }
  const line = new CommitLine(board, owner, wake)
  const commit = () => {
    const { entries } = line.take()
    line.settle({ epoch: 1, firstSeq: seq + 1, lastSeq: seq + entries.length })
    seq += entries.length
  }
  const answer = (name: string, bytes?: number) => line.whenCommitted(() => left.push(name), bytes)
  return { line, left, wake, owner, commit, answer }
}

let clients = 0
/** An update that inserts this text, by a client of its own. */
function typed(text: string): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = ++clients
  doc.getText('t').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

function textOf(update: Uint8Array): string {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  return doc.getText('t').toString()
}

const alice: Actor = 'human:alice'
const bob: Actor = 'human:bob'

/** All that is due now, and what follows from it. */
const settled = async () => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

describe('the gate', () => {
  test('is open while nothing waits', () => {
    const { left, answer } = line()
    answer('answer')
    expect(left).toEqual(['answer'])
  })

  test('lets nothing out before the commit, and afterwards the batch first', () => {
    const { line: own, left, answer, commit } = line()
    own.enqueue(typed('a'), alice)
    answer('answer')
    expect(left).toEqual([])
    commit()
    expect(left).toEqual(['broadcast a', 'answer'])
  })

  test('opens for each answer when all that stood before it is committed, and not for what came later', () => {
    const { line: own, left, answer, commit } = line()
    own.enqueue(typed('a'), alice)
    answer('after a')
    own.take()
    own.enqueue(typed('b'), alice)
    answer('after b')
    commit()
    expect(left).toEqual(['broadcast a', 'after a'])
    commit()
    expect(left).toEqual(['broadcast a', 'after a', 'broadcast b', 'after b'])
  })

  test('stays shut for good when the edits before it are given up', () => {
    const { line: own, left, answer, owner } = line()
    own.enqueue(typed('a'), alice)
    answer('answer')
    own.giveUp(new SyncError('storage-unavailable', 'too long'))
    own.settle({ epoch: 1, firstSeq: 1, lastSeq: 1 })
    answer('later answer')
    expect(owner.onGivenUp).toHaveBeenCalledOnce()
    expect(left).toEqual([])
    own.giveUp(new SyncError('storage-unavailable', 'once more'))
    expect(owner.onGivenUp).toHaveBeenCalledOnce()
  })
})

describe('a batch', () => {
  test('has one row per run of one author', () => {
    const { line: own } = line()
    for (const [text, actor] of [
      ['a', alice],
      ['b', alice],
      ['c', bob],
      ['d', alice],
    ] as const) {
      own.enqueue(typed(text), actor)
    }
    const { entries } = own.take()
    expect(entries.map(({ actor }) => actor)).toEqual([alice, bob, alice])
    expect(entries.map(({ data }) => [...textOf(data)].sort().join(''))).toEqual(['ab', 'c', 'd'])
  })

  test('stays the same until it is settled', () => {
    const { line: own } = line()
    own.enqueue(typed('a'), alice)
    const taken = own.take()
    own.enqueue(typed('b'), alice)
    expect(own.take()).toBe(taken)
  })

  test('is bounded in updates and in bytes, and in flight keeps no later edit waiting for ever', () => {
    const { line: own, commit } = line()
    for (let edit = 0; edit < 250; edit++) own.enqueue(typed('x'), alice)
    expect(own.take().last).toBe(200)
    commit()
    expect(own.take().last).toBe(250)
    commit()
    for (let edit = 0; edit < 3; edit++) own.enqueue(typed('x'.repeat(3 * 1024 * 1024)), alice)
    expect(own.take().last).toBe(251)
    expect(own.take().mode).toBe('alone')
  })

  test('is counted until it is settled', () => {
    const { line: own, commit } = line()
    const update = typed('a')
    own.enqueue(update, alice)
    expect(own.bytes).toBe(update.byteLength)
    own.take()
    expect(own.bytes).toBe(update.byteLength)
    expect(own.waitingSince).toBeDefined()
    commit()
    expect(own.bytes).toBe(0)
    expect(own.waitingSince).toBe(undefined)
  })

  test('that Yjs cannot merge is written and passed on as it came', () => {
    const { line: own, owner, commit } = line()
    const odd = Uint8Array.of(1, 2, 3)
    own.enqueue(odd, alice)
    own.enqueue(odd, alice)
    expect(own.take().entries.map(({ data }) => data)).toEqual([odd, odd])
    owner.onCommitted.mockImplementation(() => undefined)
    commit()
    expect(owner.onCommitted.mock.lastCall?.[1]).toEqual([odd, odd])
  })

  test('that is small goes along with others, a big one alone', () => {
    const { line: own } = line()
    expect(own.nextMode).toBe(undefined)
    own.enqueue(typed('a'), alice)
    expect(own.nextMode).toBe('together')
    own.enqueue(typed('x'.repeat(256 * 1024)), alice)
    expect(own.nextMode).toBe('alone')
  })
})

describe('a turn', () => {
  test('begins when nothing waits any more, and holds edits until it ends, in order', async () => {
    const { line: own, commit } = line()
    const done: string[] = []
    own.enqueue(typed('a'), alice)
    let end = () => {}
    const turn = own.turn(async () => {
      done.push('turn')
      await new Promise<void>(resolve => {
        end = resolve
      })
    })
    own.admit(1, () => done.push('first'))
    own.admit(1, () => done.push('second'))
    await settled()
    expect(done).toEqual([])
    commit()
    await settled()
    expect(done).toEqual(['turn'])
    own.admit(1, () => done.push('third'))
    end()
    await turn
    expect(done).toEqual(['turn', 'first', 'second', 'third'])
    own.admit(1, () => done.push('at once'))
    expect(done.at(-1)).toBe('at once')
  })

  test('keeps the gate shut while it is at work: what it has written may yet be rolled back', async () => {
    const { line: own, left, answer } = line()
    let end = () => {}
    const turn = own.turn(() => new Promise<void>(resolve => (end = resolve)))
    await settled()
    answer('answer')
    expect(left).toEqual([])
    end()
    await turn
    expect(left).toEqual(['answer'])
  })

  test('that is given up lets nothing out', async () => {
    const { line: own, left, answer } = line()
    const turn = own.turn(async () => {
      answer('answer')
      own.close()
      throw new Error('rolled back')
    })
    await expect(turn).rejects.toThrow('rolled back')
    expect(left).toEqual([])
  })

  test('that fails lets the next begin and releases the edits', async () => {
    const { line: own } = line()
    const done: string[] = []
    const first = own.turn(async () => {
      throw new Error('failed')
    })
    const second = own.turn(async () => done.push('second'))
    own.admit(1, () => done.push('edit'))
    await expect(first).rejects.toThrow('failed')
    await second
    expect(done).toEqual(['second', 'edit'])
  })

  test('is rejected when the line closes before it began; what was held is dropped', async () => {
    const { line: own } = line()
    const apply = vi.fn()
    own.enqueue(typed('a'), alice)
    const turns = [own.turn(async () => 'ran'), own.turn(async () => 'ran')]
    own.admit(1, apply)
    await settled()
    own.close()
    for (const turn of turns) await expect(turn).rejects.toThrow('closed')
    await expect(own.turn(async () => 'ran')).rejects.toThrow('closed')
    own.admit(1, apply)
    expect(apply).not.toHaveBeenCalled()
  })

  test('under way when the line closes releases nothing into the closed room', async () => {
    const { line: own } = line()
    const done: string[] = []
    let end = () => {}
    const turn = own.turn(() => new Promise<void>(resolve => (end = resolve)))
    await settled()
    own.admit(1, () => {
      done.push('first')
      own.close()
    })
    own.admit(1, () => done.push('second'))
    end()
    await turn
    expect(done).toEqual(['first'])
  })

  test('counts what it holds, and tells since when', async () => {
    const { line: own, wake } = line()
    const turn = own.turn(async () => undefined)
    own.admit(1_000, () => undefined)
    expect(own.bytes).toBe(1_000)
    expect(own.waitingSince).toBeDefined()
    expect(wake).toHaveBeenCalled()
    await turn
    expect(own.bytes).toBe(0)
    expect(own.waitingSince).toBe(undefined)
  })
})

test('what is kept for the gate counts while it waits', () => {
  const { line: own, answer, commit } = line()
  const update = typed('a')
  own.enqueue(update, alice)
  answer('echo', 5_000)
  expect(own.bytes).toBe(update.byteLength + 5_000)
  commit()
  expect(own.bytes).toBe(0)
})
