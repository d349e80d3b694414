/** All scenarios, in the order of the report. */
import type { Scenario } from './scenario.ts'
import { cursors } from './scenarios/cursors.ts'
import { fanOut } from './scenarios/fan-out.ts'

export const scenarios: readonly Scenario[] = [...fanOut, ...cursors]
