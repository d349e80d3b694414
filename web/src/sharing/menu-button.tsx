/** A button that opens a few actions. Each of them closes it, as does what closes any popup. */
import { type ReactNode, useEffect, useId } from 'react'
import { usePopup } from './use-popup.ts'
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
  const { isOpen, toggle, close, button, around } = usePopup<HTMLDivElement>()
  const { ref: root } = around
  const id = useId()

  useEffect(() => {
    if (isOpen) root.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus()
  }, [isOpen, root])

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only hears the keys of the buttons in it
    <div
      {...around}
      className="menu"
      // The canvas listens for keys everywhere: these are not for it.
      onKeyDown={event => {
        event.stopPropagation()
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
        onClick={toggle}
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
