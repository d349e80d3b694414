/** Asks before a tab is closed whose edits the server has not committed yet. */
import { useEffect } from 'react'

let asks = true

export function useLeaveGuard(hasUnsaved: boolean): void {
  useEffect(() => {
    if (!hasUnsaved) return
    const ask = (event: BeforeUnloadEvent) => asks && event.preventDefault()
    addEventListener('beforeunload', ask)
    return () => removeEventListener('beforeunload', ask)
  }, [hasUnsaved])
}

/** Loads the page anew without a question: for edits that are there again after that. */
export function reloadUnasked(): void {
  asks = false
  location.reload()
}
