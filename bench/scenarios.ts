/** All scenarios, in the order of the report. */
import type { Scenario } from './scenario.ts'
import { agents } from './scenarios/agents.ts'
import { boards } from './scenarios/boards.ts'
import { cursors } from './scenarios/cursors.ts'
import { curves } from './scenarios/curves.ts'
import { fanOut } from './scenarios/fan-out.ts'
import { opening } from './scenarios/opening.ts'
import { resting } from './scenarios/resting.ts'
import { stoppedReader } from './scenarios/stopped-reader.ts'
import { storage } from './scenarios/storage.ts'

export const scenarios: readonly Scenario[] = [
  ...fanOut,
  ...cursors,
  ...boards,
  ...resting,
  ...opening,
  ...agents,
  ...stoppedReader,
  ...storage,
  ...curves,
]
