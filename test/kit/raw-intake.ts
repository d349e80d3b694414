/** An intake of published changes on a bus and a storage that do as the test says. */

import { vi } from 'vitest'
import { createMetrics } from '../../core/base/metrics.ts'
import type { Bus } from '../../core/bus/bus.ts'
import { createInProcessBus } from '../../core/bus/in-process.ts'
import type { NewChange, RecordedChange } from '../../core/store/change-outbox.ts'
import { RawIntake } from '../../ws/room/raw-intake.ts'
import type { Use } from './releasing.ts'
import { silent } from './site.ts'

export type Submit = (change: NewChange) => Promise<RecordedChange>

export const accepted = (change: NewChange): RecordedChange => ({
  ...change,
  status: 'pending',
  result: undefined,
  seq: undefined,
})

/** @param given what of the bus is not as in a single process */
export async function startIntake(
  use: Use,
  submit: Submit,
  given: (bus: Bus) => Partial<Bus> = () => ({}),
  log = silent,
) {
  const own = createInProcessBus(silent)
  const bus: Bus = { ...own, ...given(own) }
  const metrics = createMetrics()
  const storage: { tries: number; together: string[][] } = { tries: 0, together: [] }
  const submitAll = async (changes: readonly NewChange[]) => {
    storage.tries++
    const answers = []
    for (const change of changes) answers.push(await submit(change))
    storage.together.push(changes.map(idIn))
    return answers
  }
  const changes = { submitAll, find: vi.fn(), boardsWithPending: vi.fn(), drain: vi.fn() }
  const intake = use(new RawIntake(changes as never, bus, log, metrics))
  await intake.start()
  return {
    intake,
    /** How often it was asked to store, and what it stored in one go, by item. */
    storage,
    publish: (board: string, message: object) => bus.publish(`board:${board}:updates`, bytesOf(message)),
    say: (channel: string, text: string) => bus.publish(channel, new TextEncoder().encode(text)),
    async refused(reason: string): Promise<number> {
      const { values } = await metrics.refusals.get()
      return values.find(value => value.labels.reason === reason)?.value ?? 0
    },
  }
}

/** A storage that is slow until `release`: what came to it, and what it stored, by item. */
export function slowStorage() {
  const tried: string[] = []
  const stored: string[] = []
  let release = () => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const submit: Submit = async change => {
    tried.push(idIn(change))
    await held
    stored.push(idIn(change))
    return accepted(change)
  }
  return { tried, stored, submit, release }
}

export const bytesOf = (message: object) => new TextEncoder().encode(JSON.stringify(message))
export const create = (id: string, text = '') => ({ action: 'create', item: { id, type: 'sticky', content: { text } } })
export const idIn = ({ change }: NewChange) => (JSON.parse(change) as { item?: { id: string } }).item?.id ?? 'a batch'
