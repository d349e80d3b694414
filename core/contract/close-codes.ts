/**
 * Every WebSocket close code boardsync sends, with its reason. y-websocket 3.1 gives up on 4400–4499 and retries all
 * else, so a code in that range means: trying again with the same URL cannot help.
 */
import type { SyncErrorCode } from '../base/errors.ts'

export const closeCodes = {
  'frame-malformed': 4400,
  'board-id-invalid': 4400,
  'credential-missing': 4401,
  'credential-invalid': 4401,
  'credential-expired': 4401,
  'credential-revoked': 4403,
  'credential-unverifiable': 1013,
  'too-many-attempts': 1013,
  'board-forbidden': 4403,
  'board-deleted': 4404,
  'update-too-large': 4413,
  'board-too-large': 4413,
  'storage-unavailable': 1013,
  'too-many-peers': 1013,
  'too-many-connections': 1013,
  'too-slow': 1013,
  'too-many-messages': 4529,
  draining: 1012,
  'store-went-back': 1012,
} as const satisfies Record<SyncErrorCode, number>
