import { describe, expect, test, vi } from 'vitest'
import { alice, playedLine, settled, typed } from '../../test/kit/played-line.ts'

describe('a turn', () => {
  test('begins when nothing waits any more, and holds edits until it ends, in order', async () => {
    const { line: own, commit } = playedLine()
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
    const { line: own, left, answer } = playedLine()
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
    const { line: own, left, answer } = playedLine()
    const turn = own.turn(async () => {
      answer('answer')
      own.close()
      throw new Error('rolled back')
    })
    await expect(turn).rejects.toThrow('rolled back')
    expect(left).toEqual([])
  })

  test('that fails lets the next begin and releases the edits', async () => {
    const { line: own } = playedLine()
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
    const { line: own } = playedLine()
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
    const { line: own } = playedLine()
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
    const { line: own, wake } = playedLine()
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
