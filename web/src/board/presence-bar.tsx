/** Who is on the board: initials in each one's colour, this user first, agents marked. */
import { useEffect, useState } from 'react'
import { isEqual } from 'tldraw'
import type { WebsocketProvider } from 'y-websocket'
import { type PresentUser, readUser } from '../sync/awareness-state.ts'
import { initials } from './initials.ts'
import { OwnAvatar } from './own-avatar.tsx'

interface Present extends PresentUser {
  clientId: number
}

const mostShown = 5

export function PresenceBar({ provider }: { provider: WebsocketProvider }) {
  const others = usePresent(provider.awareness)
  const hidden = others.slice(mostShown - 1)
  return (
    <ul className="presence-bar" data-testid="presence-bar" aria-label="Who is here">
      <OwnAvatar />
      {others.slice(0, mostShown - 1).map(user => (
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
  const label = user.type === 'agent' ? `${user.name} (agent)` : user.name
  return (
    <li
      className="avatar"
      data-testid="presence-avatar"
      data-type={user.type}
      title={user.name}
      aria-label={label}
      style={{ backgroundColor: user.color }}
    >
      {initials(user.name)}
    </li>
  )
}

/** The others. Follows awareness, and renders again only when people come, go or change, not with every move of a cursor. */
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
    if (user && clientId !== awareness.clientID) present.push({ ...user, clientId })
  }
  return present.sort((a, b) => a.clientId - b.clientId)
}
