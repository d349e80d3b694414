import { expect, test } from 'vitest'
import { failureOfSqlState } from './sql-state.ts'

test.each([
  ['40001', 'busy', 'serialization failure'],
  ['40P01', 'busy', 'deadlock detected'],
  ['55P03', 'busy', 'lock not available'],
  ['08006', 'unavailable', 'connection failure'],
  ['40003', 'unavailable', 'statement completion unknown'],
  ['25006', 'unavailable', 'read-only transaction: a standby during a failover'],
  ['25P03', 'unavailable', 'idle-in-transaction session timeout'],
  ['25P04', 'unavailable', 'transaction timeout'],
  ['53100', 'unavailable', 'disk full'],
  ['53300', 'unavailable', 'too many connections'],
  ['57014', 'unavailable', 'query canceled'],
  ['57P01', 'unavailable', 'admin shutdown'],
  ['57P03', 'unavailable', 'cannot connect now'],
  ['58030', 'unavailable', 'io error'],
  ['XX000', 'unavailable', 'internal error'],
  ['22021', 'refused', 'character not in repertoire'],
  ['23505', 'refused', 'unique violation'],
  ['25P02', 'refused', 'in failed transaction'],
  ['28P01', 'refused', 'invalid password'],
  ['42P01', 'refused', 'undefined table'],
])('%s is %s: %s', (state, failure) => {
  expect(failureOfSqlState(state)).toBe(failure)
})
