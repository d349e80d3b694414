import { describe, expect, test, vi } from 'vitest'
import { alice, bob, playedLine, settled, typed } from '../../test/kit/played-line.ts'

describe('an edit that is admitted', () => {
  test('is applied when it is asked for, with those that came since, in order; until then it waits like any other', () => {
    const { line: own, wake, answer, left } = playedLine()
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
    const { line: own } = playedLine()
    const done: string[] = []
    own.admit(32 * 1024, () => done.push('first'))
    expect(done).toEqual([])
    own.admit(1, () => done.push('second'))
    expect({ done, bytes: own.bytes }).toEqual({ done: ['first', 'second'], bytes: 0 })
    own.admit(1, () => done.push('third'))
    expect(done).toHaveLength(2)
  })

  test('and closes the line as it is applied at once does not wake it any more', () => {
    const { line: own, wake } = playedLine()
    own.admit(33 * 1024, () => own.close())
    expect(wake).not.toHaveBeenCalled()
  })

  test('goes into one batch with those applied beside it, also where that is taken at once, and waits since it came in', () => {
    const { line: own, wake, left, commit } = playedLine()
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
    const { line: own } = playedLine()
    const apply = vi.fn()
    own.admit(1, apply)
    own.close()
    own.applyAdmitted()
    expect({ applied: apply.mock.calls.length, mode: own.nextMode, bytes: own.bytes }).toEqual({ applied: 0, bytes: 0 })
  })

  test('before a turn is applied before it, and the turn waits until it is committed', async () => {
    const { line: own, commit, left } = playedLine()
    own.admit(1, () => own.enqueue(typed('a'), alice))
    const turn = own.turn(async () => void left.push('turn'))
    await settled()
    expect(left).toEqual([])
    commit()
    await turn
    expect(left).toEqual(['broadcast a', 'turn'])
  })

  test('during a turn is no reason to commit, and is applied when no turn waits any more', async () => {
    const { line: own } = playedLine()
    const apply = vi.fn()
    const turns = [own.turn(async () => undefined), own.turn(async () => expect(apply).not.toHaveBeenCalled())]
    own.admit(1, apply)
    own.applyAdmitted()
    expect(own.nextMode).toBe(undefined)
    await Promise.all(turns)
    expect(apply).toHaveBeenCalledOnce()
  })
})
