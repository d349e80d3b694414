/** Says in a word how the connection is doing, and whether all edits are safe. */
import { useEffect, useState } from 'react'
import type { ConnectionStatus } from '../sync/index.ts'
import { nextAnnouncement, nothingSaid } from './announcement.ts'

const words: Record<ConnectionStatus, { text: string; title: string }> = {
  connecting: { text: 'Connecting…', title: 'Waiting for the board.' },
  connected: { text: 'Connected', title: 'You see every change as it happens.' },
  reconnecting: { text: 'Reconnecting…', title: 'You can go on: this browser keeps your edits and sends them again.' },
  offline: { text: 'Offline', title: 'You can go on: this browser keeps your edits until there is a network again.' },
  saving: { text: 'Saving…', title: 'Your last edits are on their way.' },
  saved: { text: 'Saved', title: 'The server has stored all your edits.' },
}

export function ConnectionIndicator({ status, hasUnsaved }: { status: ConnectionStatus; hasUnsaved: boolean }) {
  const shown = useCalm(status)
  const { text, title } = words[shown]
  const isWaiting = hasUnsaved && shown !== 'saving' && shown !== 'saved'
  const said = isWaiting ? `${text} · not saved yet` : text
  return (
    <>
      <output
        className="connection-indicator"
        data-testid="connection-indicator"
        data-status={shown}
        data-unsaved={hasUnsaved}
        aria-live="off"
        aria-label={said}
        title={title}
      >
        <span className="connection-word">{said}</span>
      </output>
      <Announced status={shown} text={said} />
    </>
  )
}

function Announced({ status, text }: { status: ConnectionStatus; text: string }) {
  const [announcement, announce] = useState(nothingSaid)
  useEffect(() => announce(before => nextAnnouncement(before, status, text)), [status, text])
  return <output className="only-heard">{announcement.text}</output>
}

/** While someone draws, edits are saved dozens of times a second: `saved` is said once it has stayed true for a moment. */
const calmMs = 250

function useCalm(status: ConnectionStatus): ConnectionStatus {
  const [shown, setShown] = useState(status)
  useEffect(() => {
    if (status !== 'saved') return setShown(status)
    const timer = setTimeout(() => setShown('saved'), calmMs)
    return () => clearTimeout(timer)
  }, [status])
  return shown
}
