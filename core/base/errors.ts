/**
 * The failures that have a name. Code inside throws these; only the edges turn them into close codes (`ws/server`) or
 * problem documents (`api-bridge`).
 */

/** What can go wrong for a peer or a caller. Each is in `core/contract/close-codes.ts` with its close code. */
export type SyncErrorCode =
  | 'frame-malformed'
  | 'board-id-invalid'
  | 'credential-missing'
  | 'credential-invalid'
  | 'credential-expired'
  | 'credential-revoked'
  | 'credential-unverifiable'
  | 'too-many-attempts'
  | 'board-forbidden'
  | 'board-deleted'
  | 'update-too-large'
  | 'board-too-large'
  | 'storage-unavailable'
  | 'too-many-peers'
  | 'too-many-connections'
  | 'too-slow'
  | 'too-many-messages'
  | 'draining'
  | 'store-went-back'

export class SyncError extends Error {
  override readonly name = 'SyncError'
  readonly code: SyncErrorCode

  constructor(code: SyncErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * What became of a statement that failed:
 * - `unavailable`: the database cannot be reached or has no room; whether the statement took effect is unknown. Try again later.
 * - `busy`: a lock was not free or transactions collided; nothing took effect. Try again at once.
 * - `refused`: the database will never take this statement.
 */
export type StorageFailure = 'unavailable' | 'busy' | 'refused'

export class StorageError extends Error {
  override readonly name = 'StorageError'
  readonly failure: StorageFailure

  constructor(failure: StorageFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.failure = failure
  }
}

/** Settings that cannot be used: every fault at once, each beginning with the setting's name. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly faults: readonly string[]

  constructor(faults: readonly string[], options?: ErrorOptions) {
    super(`boardsync cannot start with these settings:\n${faults.map(fault => `  - ${fault}`).join('\n')}`, options)
    this.faults = faults
  }
}
