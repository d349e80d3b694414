/** A button that opens a few actions. Escape, a press elsewhere and each action close it. */
import { type ReactNode, useEffect, useId, useRef, useState } from 'react'
import './menu-button.css'

export interface Action {
  label: string
  isDangerous?: boolean
  act: () => void
}

interface MenuButtonProps {
  label: string
  children: ReactNode
  actions: readonly Action[]
  testId?: string
}

export function MenuButton({ label, children, actions, testId }: MenuButtonProps) {
  const [isOpen, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const id = useId()

  useEffect(() => {
    if (!isOpen) return
    root.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus()
    const closeOutside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false)
    }
    addEventListener('pointerdown', closeOutside, true)
    return () => removeEventListener('pointerdown', closeOutside, true)
  }, [isOpen])

  const close = () => {
    setOpen(false)
    button.current?.focus()
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only hears the keys of the buttons in it
    <div
      ref={root}
      className="menu"
      // The canvas listens for keys everywhere: these are not for it.
      onKeyDown={event => {
        event.stopPropagation()
        if (event.key === 'Escape' && isOpen) close()
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
        if (!step || !isOpen) return
        event.preventDefault()
        const items = [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])]
        const at = items.indexOf(document.activeElement as HTMLElement)
        items[(at + step + items.length) % items.length]?.focus()
      }}
    >
      <button
        ref={button}
        type="button"
        className="menu-button"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        title={label}
        data-testid={testId}
        onClick={() => setOpen(open => !open)}
      >
        {children}
      </button>
      {isOpen && (
        <div className="menu-actions" id={id} role="menu" aria-label={label}>
          {actions.map(action => (
            <button
              key={action.label}
              type="button"
              role="menuitem"
              data-dangerous={action.isDangerous}
              onClick={() => {
                close()
                action.act()
              }}
            >
              {action.label}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}
