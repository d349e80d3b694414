/** What an SQLSTATE means for us: try later, try at once, or never (Postgres manual, appendix A). */
import type { StorageFailure } from '../base/errors.ts'

/** Whole classes: connection exception, insufficient resources (disk full, too many connections), operator intervention, system error. */
const unavailableClasses = ['08', '53', '57', '58', 'XX']
/**
 * Statement completion unknown; a read-only server (a standby: the failover is not over yet); a session ended because
 * its transaction idled or lasted too long.
 */
const unavailableStates = ['40003', '25006', '25P03', '25P04']
/** Serialization failure, deadlock detected, lock not available. */
const busyStates = ['40001', '40P01', '55P03']

export function failureOfSqlState(state: string): StorageFailure {
  if (busyStates.includes(state)) return 'busy'
  if (unavailableStates.includes(state)) return 'unavailable'
  return unavailableClasses.some(prefix => state.startsWith(prefix)) ? 'unavailable' : 'refused'
}
