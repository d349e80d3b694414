/** A batch: its operations decided one after the other, each on what those before it left; made all or none. */
import type { Batch, ChangeOutcome, ItemChange, OperationResult, Rejection } from '../contract/change.ts'
import { type FieldError, fieldErrorsAtMost } from '../contract/field-error.ts'
import type { Item } from '../contract/item.ts'
import type { BoardRecords } from './board-records.ts'
import { decideItemChange } from './item-change.ts'
import { shapeAt } from './record-to-item.ts'
import type { Steps } from './steps.ts'

type Rejected = Extract<ChangeOutcome, { status: 'rejected' }>

/** What is wrong where a rejection names no field: the part of the operation that says which item, or which state of it. */
const pointerOf: Readonly<Partial<Record<Rejection, string>>> = { 'item-changed': '/if_match' }

/** Of a batch that is refused the records are not to be used again: they hold a part of it. */
export function* decideBatch(records: BoardRecords, { operations }: Batch): Steps<ChangeOutcome> {
  const outcomes: ChangeOutcome[] = []
  for (const operation of operations) {
    outcomes.push(yield* decideItemChange(records, operation))
    yield
  }
  const first = outcomes.findIndex(({ status }) => status === 'rejected')
  const failed = outcomes[first]
  if (failed?.status !== 'rejected') {
    const results: OperationResult[] = []
    for (const operation of operations) {
      results.push(applied(records, operation))
      yield
    }
    return { status: 'applied', results }
  }
  const results = operations.map((operation, n) => refused(operation, outcomes[n], n))
  return {
    status: 'rejected',
    reason: failed.reason,
    detail: `operation ${first} cannot be made, so none was: ${failed.detail}`,
    errors: results.flatMap(({ errors = [] }) => errors).slice(0, fieldErrorsAtMost),
    results,
  }
}

function applied(records: BoardRecords, { action, item: { id } }: ItemChange): OperationResult {
  const item = action === 'delete' ? undefined : shapeAt(records, id)?.item
  return { action, id, status: 'applied', ...(item && { item: withoutRecord(item) }) }
}

function refused({ action, item: { id } }: ItemChange, outcome: ChangeOutcome | undefined, n: number): OperationResult {
  if (outcome?.status !== 'rejected') return { action, id, status: 'skipped' }
  return { action, id, status: 'rejected', errors: errorsIn(outcome, n) }
}

function errorsIn({ reason, detail, errors }: Rejected, n: number): FieldError[] {
  if (!errors) return [{ pointer: `/operations/${n}${pointerOf[reason] ?? '/item/id'}`, detail }]
  return errors.map(error => ({ ...error, pointer: `/operations/${n}/item${error.pointer}` }))
}

/** A drawn stroke has thousands of points; 500 of them are no answer. */
const withoutRecord = ({ record: _record, ...item }: Item): Item => item
