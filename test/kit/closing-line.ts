/** A Vitest reporter whose last line sums the run up for machines: `12 passed, 0 failed`, alone on a line. */

import type { Reporter, SerializedError, TestModule, TestRunEndReason } from 'vitest/node'

/** What is read of a `TestModule`. */
export interface RanModule {
  errors(): readonly unknown[]
  children: {
    allTests(): Iterable<{ result(): { state: string } }>
    allSuites(): Iterable<{ errors(): readonly unknown[] }>
  }
}

export default class ClosingLine implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandledErrors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    console.log(`\n${closingLine(modules, unhandledErrors.length, reason)}`)
  }
}

/** What failed outside any test counts as failed too: the line never says 0 failed for a run that did not pass. */
export function closingLine(modules: readonly RanModule[], unhandledErrors: number, reason: TestRunEndReason): string {
  const tests = modules.flatMap(module => [...module.children.allTests()])
  const inState = (state: string) => tests.filter(test => test.result().state === state).length
  const suites = modules.flatMap(module => [...module.children.allSuites()])
  const broken = [...modules, ...suites].filter(part => part.errors().length > 0).length

  const failed = inState('failed') + broken + unhandledErrors
  const line = `${inState('passed')} passed, ${reason === 'passed' ? failed : Math.max(failed, 1)} failed`
  const skipped = inState('skipped')
  return skipped > 0 ? `${line}, ${skipped} skipped` : line
}
