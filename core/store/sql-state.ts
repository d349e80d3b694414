/** What an SQLSTATE means for us: try later, try at once, or never (Postgres manual, appendix A). */
import type { StorageFailure } from '../base/errors.ts'

/** Whole classes: connection exception, insufficient resources (disk full, too many connections), operator intervention, system error. */
const unavailableClasses = ['08', '53', '57', '58', 'XX']
/** Serialization failure, deadlock detected, lock not available. */
const busyStates = ['40001', '40P01', '55P03']

export function failureOfSqlState(state: string): StorageFailure {
  if (busyStates.includes(state)) return 'busy'
  // A read-only server is a standby: the failover is not over yet.
  if (state === '25006') return 'unavailable'
  return unavailableClasses.some(prefix => state.startsWith(prefix)) ? 'unavailable' : 'refused'
}
