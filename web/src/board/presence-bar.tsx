/** Who is on the board: initials in each one's colour, this user first, agents marked. A press follows somebody. */
import { type ReactNode, useEffect, useState } from 'react'
import { isEqual, PORTRAIT_BREAKPOINT, useBreakpoint, useEditor, useValue } from 'tldraw'
import type { WebsocketProvider } from 'y-websocket'
import { initials } from '../initials.ts'
import { inkOn } from '../ink-on.ts'
import { usePopup } from '../sharing/use-popup.ts'
import { followedPeer, toggleFollowing } from './follow.ts'
import { OwnAvatar } from './own-avatar.tsx'
import { type Present, readPresent } from './present.ts'

/** This user among them. */
const mostShown = { onPhones: 2, elsewhere: 5 }

export function PresenceBar({ provider }: { provider: WebsocketProvider }) {
  const others = usePresent(provider.awareness)
  const editor = useEditor()
  const isNarrow = useBreakpoint() < PORTRAIT_BREAKPOINT.TABLET_SM
  const room = (isNarrow ? mostShown.onPhones : mostShown.elsewhere) - 1
  const followed = useValue('followed', () => followedPeer(editor), [editor])
  const peers = others.map(user => (
    <Peer
      key={user.clientId}
      user={user}
      isFollowed={user.clientId === followed}
      onPress={() => toggleFollowing(editor, user.clientId)}
    />
  ))
  return (
    <ul className="presence-bar" data-testid="presence-bar" aria-label="Who is here">
      <OwnAvatar />
      {peers.slice(0, room)}
      {others.length > room && <Overflow count={others.length - room}>{peers.slice(room)}</Overflow>}
    </ul>
  )
}

interface PeerProps {
  user: Present
  isFollowed: boolean
  onPress: () => void
}

function Peer({ user, isFollowed, onPress }: PeerProps) {
  const name = user.type === 'agent' ? `${user.name} (agent)` : user.name
  return (
    <li className="peer">
      <button
        type="button"
        className="avatar avatar-button"
        data-testid="presence-avatar"
        data-type={user.type}
        title={user.name}
        aria-label={`${name}: ${isFollowed ? 'stop following' : 'follow'}`}
        aria-pressed={isFollowed}
        style={{ backgroundColor: user.color, color: inkOn(user.color) }}
        onKeyDown={event => event.stopPropagation()}
        onClick={onPress}
      >
        {initials(user.name)}
      </button>
      <span className="peer-name">{name}</span>
    </li>
  )
}

/** Those for whom there is no room in the bar. */
function Overflow({ count, children }: { count: number; children: ReactNode }) {
  const { isOpen, toggle, button, around } = usePopup<HTMLLIElement>()

  return (
    <li
      {...around}
      className="overflow"
      // The canvas listens for keys everywhere: these are not for it.
      onKeyDown={event => event.stopPropagation()}
    >
      <button
        ref={button}
        type="button"
        className="avatar avatar-button avatar-more"
        data-testid="presence-more"
        aria-label={`${count} more`}
        aria-expanded={isOpen}
        onClick={toggle}
      >
        +{count}
      </button>
      {isOpen && <ul className="overflow-list">{children}</ul>}
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
