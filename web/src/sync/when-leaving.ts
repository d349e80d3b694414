/** Calls back when a tab is about to be hidden or left, which may be the last it hears. Returns the way to stop. */

export function whenLeaving(act: () => void): () => void {
  const onVisibility = () => {
    if (document.visibilityState === 'hidden') act()
  }
  document.addEventListener('visibilitychange', onVisibility)
  addEventListener('pagehide', act)
  return () => {
    document.removeEventListener('visibilitychange', onVisibility)
    removeEventListener('pagehide', act)
  }
}
