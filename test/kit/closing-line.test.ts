import { expect, test } from 'vitest'
import { closingLine, type RanModule } from './closing-line.ts'

function ran(states: string[], { broken = false, brokenSuites = 0 } = {}): RanModule {
  const errors = (yes: boolean) => () => (yes ? [new Error('broken')] : [])
  return {
    errors: errors(broken),
    children: {
      allTests: () => states.map(state => ({ result: () => ({ state }) })),
      allSuites: () => Array.from({ length: brokenSuites }, () => ({ errors: errors(true) })),
    },
  }
}

test.each([
  ['1 passed, 0 failed', [ran(['passed'])], 0, 'passed'],
  ['3 passed, 1 failed, 1 skipped', [ran(['passed', 'failed']), ran(['passed', 'skipped', 'passed'])], 0, 'failed'],
  ['0 passed, 1 failed', [ran([], { broken: true })], 0, 'failed'],
  ['1 passed, 2 failed', [ran(['passed'], { brokenSuites: 2 })], 0, 'failed'],
  ['1 passed, 1 failed', [ran(['passed'])], 1, 'failed'],
  ['0 passed, 1 failed', [], 0, 'failed'],
  ['1 passed, 1 failed', [ran(['passed'])], 0, 'interrupted'],
] as const)('a run is summed up as: %s', (line, modules, unhandledErrors, reason) => {
  expect(closingLine(modules, unhandledErrors, reason)).toBe(line)
})
