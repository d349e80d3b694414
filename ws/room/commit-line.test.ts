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

describe('an edit that is admitted', () => {
  test('is applied when it is asked for, with those that came since, in order; until then it waits like any other', () => {
    const { line: own, wake, answer, left } = line()
    const done: string[] = []
    own.admit(10, () => done.push('first'))
    own.admit(20, () => done.push('second'))
    expect(wake).toHaveBeenCalledTimes(2)
    expect({ done, bytes: own.bytes, isQuiet: own.isQuiet }).toEqual({ done: [], bytes: 30, isQuiet: false })
    expect(own.waitingSince).toBeDefined()
    expect(own.nextMode).toBe('together')
    answer('of the replica as the log has it')
    expect(left).toHaveLength(1)
    own.applyAdmitted()
    expect(done).toEqual(['first', 'second'])
    expect({ mode: own.nextMode, bytes: own.bytes, isQuiet: own.isQuiet }).toEqual({ bytes: 0, isQuiet: true })
    own.applyAdmitted()
    expect(done).toEqual(['first', 'second'])
  })

  test('is applied at once where much has gathered', () => {
    const { line: own } = line()
    const done: string[] = []
    own.admit(32 * 1024, () => done.push('first'))
    expect(done).toEqual([])
    own.admit(1, () => done.push('second'))
    expect({ done, bytes: own.bytes }).toEqual({ done: ['first', 'second'], bytes: 0 })
    own.admit(1, () => done.push('third'))
    expect(done).toHaveLength(2)
  })

  test('and closes the line as it is applied at once does not wake it any more', () => {
    const { line: own, wake } = line()
    own.admit(33 * 1024, () => own.close())
    expect(wake).not.toHaveBeenCalled()
  })

  test('goes into one batch with those applied beside it, also where that is taken at once, and waits since it came in', () => {
    const { line: own, wake, left, commit } = line()
    const now = vi.spyOn(performance, 'now').mockReturnValue(1_000)
    own.admit(1, () => own.enqueue(typed('a'), alice))
    own.admit(1, () => own.enqueue(typed('b'), bob))
    now.mockReturnValue(5_000)
    wake.mockClear()
    wake.mockImplementation(() => void own.take())
    own.applyAdmitted()
    expect(own.waitingSince).toBe(1_000)
    now.mockRestore()
    commit()
    expect(wake).toHaveBeenCalledOnce()
    expect(left).toEqual(['broadcast ab'])
  })

  test('is dropped when the line is closed', () => {
    const { line: own } = line()
    const apply = vi.fn()
    own.admit(1, apply)
    own.close()
    own.applyAdmitted()
    expect({ applied: apply.mock.calls.length, mode: own.nextMode, bytes: own.bytes }).toEqual({ applied: 0, bytes: 0 })
  })

  test('before a turn is applied before it, and the turn waits until it is committed', async () => {
    const { line: own, commit, left } = line()
    own.admit(1, () => own.enqueue(typed('a'), alice))
    const turn = own.turn(async () => void left.push('turn'))
    await settled()
    expect(left).toEqual([])
    commit()
    await turn
    expect(left).toEqual(['broadcast a', 'turn'])
  })

  test('during a turn is no reason to commit, and is applied when no turn waits any more', async () => {
    const { line: own } = line()
    const apply = vi.fn()
    const turns = [own.turn(async () => undefined), own.turn(async () => expect(apply).not.toHaveBeenCalled())]
    own.admit(1, apply)
    own.applyAdmitted()
    expect(own.nextMode).toBe(undefined)
    await Promise.all(turns)
    expect(apply).toHaveBeenCalledOnce()
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
    own.admit(1, () => done.push('fourth'))
    own.applyAdmitted()
    expect(done.at(-1)).toBe('fourth')
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
