/** Asks before a tab is closed whose edits the server has not committed yet. */
import { useEffect } from 'react'
import type { ConnectionStatus } from '../sync/status.ts'

export function useLeaveGuard(status: ConnectionStatus): void {
  const isAtRisk = status === 'saving'
  useEffect(() => {
    if (!isAtRisk) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [isAtRisk])
}
