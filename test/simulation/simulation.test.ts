/**
 * Thousands of schedules of edits, crashes, broken links and a failing database, each from a seed.
 * One of them again: SIMULATION_SEED=123 npx vitest run test/simulation
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runSchedule } from './schedule.ts'

const firstSeed = Number(process.env.SIMULATION_SEED ?? 1)
const schedules = process.env.SIMULATION_SEED ? 1 : Number(process.env.SIMULATION_SCHEDULES ?? 2_000)

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test(`in ${schedules} schedules nothing seen is lost, and all end equal`, { timeout: 3_600_000 }, async () => {
  const failed: string[] = []
  for (let seed = firstSeed; seed < firstSeed + schedules; seed++) {
    await runSchedule(seed).catch(error => failed.push(`seed ${seed}: ${error}`))
    // The turn in which work in slices goes on is a timer, too: cleared, such work of all later schedules would wait for it.
    await vi.advanceTimersByTimeAsync(10)
    vi.clearAllTimers()
  }
  expect(failed).toEqual([])
})
