/** What of the connection is said aloud to somebody who does not see it: trouble, and its end. Saving is no news. */
import type { ConnectionStatus } from '../sync/index.ts'

export interface Announcement {
  text: string
  isTrouble: boolean
}

export const nothingSaid: Announcement = { text: '', isTrouble: false }

/** @param text the status, as it is shown */
export function nextAnnouncement(before: Announcement, status: ConnectionStatus, text: string): Announcement {
  switch (status) {
    case 'offline':
    case 'reconnecting':
      return { text, isTrouble: true }
    case 'connected':
    case 'saved':
      return before.isTrouble ? { text, isTrouble: false } : before
    case 'connecting':
    case 'saving':
      return before
    default:
      return status satisfies never
  }
}
