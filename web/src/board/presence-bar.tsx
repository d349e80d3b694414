/** Who is on the board: initials in each one's colour, this user first, agents marked. */
import { useEffect, useState } from 'react'
import { isEqual } from 'tldraw'
import type { WebsocketProvider } from 'y-websocket'
import { type PresentUser, readUser } from '../sync/awareness-state.ts'

interface Present extends PresentUser {
  clientId: number
  isSelf: boolean
}

const mostShown = 5

export function PresenceBar({ provider }: { provider: WebsocketProvider }) {
  const present = usePresent(provider.awareness)
  const hidden = present.slice(mostShown)
  return (
    <ul className="presence-bar" data-testid="presence-bar" aria-label="Who is here">
      {present.slice(0, mostShown).map(user => (
        <Avatar key={user.clientId} user={user} />
      ))}
      {hidden.length > 0 && (
        <li className="avatar avatar-more" title={hidden.map(user => user.name).join(', ')}>
          +{hidden.length}
        </li>
      )}
    </ul>
  )
}

function Avatar({ user }: { user: Present }) {
  const label = user.isSelf ? `${user.name} (you)` : user.type === 'agent' ? `${user.name} (agent)` : user.name
  return (
    <li
      className="avatar"
      data-testid="presence-avatar"
      data-type={user.type}
      data-self={user.isSelf}
      title={user.name}
      aria-label={label}
      style={{ backgroundColor: user.color }}
    >
      {initials(user.name)}
    </li>
  )
}

/** Follows awareness, and renders again only when people come, go or change, not with every move of a cursor. */
function usePresent(awareness: WebsocketProvider['awareness']): Present[] {
  const [present, setPresent] = useState<Present[]>(() => readPresent(awareness))
  useEffect(() => {
    const update = () => {
      const now = readPresent(awareness)
      setPresent(before => (isEqual(before, now) ? before : now))
    }
    update()
    awareness.on('change', update)
    return () => awareness.off('change', update)
  }, [awareness])
  return present
}

function readPresent(awareness: WebsocketProvider['awareness']): Present[] {
  const present: Present[] = []
  for (const [clientId, state] of awareness.getStates()) {
    const user = readUser(clientId, state)
    if (user) present.push({ ...user, clientId, isSelf: clientId === awareness.clientID })
  }
  return present.sort((a, b) => Number(b.isSelf) - Number(a.isSelf) || a.clientId - b.clientId)
}

function initials(name: string): string {
  const words = name.split(/[\s_-]+/).filter(word => word !== '')
  return words
    .slice(0, 2)
    .map(word => [...word][0]?.toUpperCase() ?? '')
    .join('')
}
