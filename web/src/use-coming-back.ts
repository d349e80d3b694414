/** Tells a page that somebody looks at it again: what it shows may be old by then. */
import { useEffect } from 'react'

/** @param onBack keep it the same from render to render */
export function useComingBack(onBack: () => void): void {
  useEffect(() => {
    // By the browser's Back a page is as it was left, however long ago, and nothing of it runs anew.
    const onShow = ({ persisted }: PageTransitionEvent) => persisted && onBack()
    const onVisibility = () => document.hidden || onBack()
    addEventListener('pageshow', onShow)
    document.addEventListener('visibilitychange', onVisibility)
    return () => {
      removeEventListener('pageshow', onShow)
      document.removeEventListener('visibilitychange', onVisibility)
    }
  }, [onBack])
}
