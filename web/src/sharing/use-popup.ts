/** What opens from a button and stays until Escape, a press elsewhere, or the focus going elsewhere. */
import { type FocusEvent, type RefObject, useCallback, useEffect, useRef, useState } from 'react'

export interface Popup<Root extends HTMLElement> {
  isOpen: boolean
  toggle: () => void
  /** Gives the focus back to the button. */
  close: () => void
  button: RefObject<HTMLButtonElement | null>
  /** For the element around the button and what opens from it. */
  around: { ref: RefObject<Root | null>; onBlur: (event: FocusEvent) => void }
}

export function usePopup<Root extends HTMLElement>(): Popup<Root> {
  const [isOpen, setOpen] = useState(false)
  const root = useRef<Root>(null)
  const button = useRef<HTMLButtonElement>(null)

  const close = useCallback(() => {
    setOpen(false)
    button.current?.focus()
  }, [])

  useEffect(() => {
    if (!isOpen) return
    const closeOutside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false)
    }
    // Heard before the canvas, which would take it for its own.
    const closeByKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.isComposing) return
      event.stopPropagation()
      close()
    }
    addEventListener('pointerdown', closeOutside, true)
    addEventListener('keydown', closeByKey, true)
    return () => {
      removeEventListener('pointerdown', closeOutside, true)
      removeEventListener('keydown', closeByKey, true)
    }
  }, [isOpen, close])

  const onBlur = ({ relatedTarget }: FocusEvent) => {
    // Nowhere: the window itself lost the focus, or Safari, which gives it to no button that is pressed.
    if (relatedTarget && !root.current?.contains(relatedTarget)) setOpen(false)
  }
  return { isOpen, toggle: () => setOpen(open => !open), close, button, around: { ref: root, onBlur } }
}
