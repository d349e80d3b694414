/** The tldraw canvas of a board, with our presence bar and connection indicator in tldraw's own layout. */
import { useCallback, useEffect, useMemo, useState } from 'react'
import {
  atom,
  computed,
  createTLCurrentUser,
  type Editor,
  getUserPreferences,
  setUserPreferences,
  type TLComponents,
  Tldraw,
} from 'tldraw'
import 'tldraw/tldraw.css'
import type { User } from '../identity.ts'
import { pageConfig } from '../page-config.ts'
import type { YjsSync } from '../sync/index.ts'
import { assetUrls } from './asset-urls.ts'
import { BoardContext } from './board-context.ts'
import { SharePanel } from './share-panel.tsx'
import { sharePointer } from './share-pointer.ts'
import { useLeaveGuard } from './use-leave-guard.ts'

const { licenseKey } = pageConfig()
const components: TLComponents = { SharePanel, TopPanel: null }

/** Pictures dropped on the canvas live inside the board as data URLs until there is a place to upload them. */
const largestPictureBytes = 1_000_000

declare global {
  interface Window {
    /** For looking into a running page from the browser's console; nothing in the page reads it. */
    boardsync?: { editor: Editor; provider: YjsSync['provider'] }
  }
}

interface CanvasProps {
  sync: YjsSync
  user: User
  onUser: (user: User) => void
}

export function Canvas({ sync, user, onUser }: CanvasProps) {
  const { store, provider, connected } = sync
  useLeaveGuard(sync.hasUnsaved)
  const board = useMemo(() => ({ sync, user, onUser }), [sync, user, onUser])
  const tldrawUser = useTldrawUser(user, provider.awareness.clientID)

  const onMount = useCallback(
    (editor: Editor) => {
      window.boardsync = { editor, provider }
      return sharePointer(editor)
    },
    [provider],
  )

  return (
    <BoardContext value={board}>
      <Tldraw
        store={{ store, status: 'synced-remote', connectionStatus: connected ? 'online' : 'offline' }}
        user={tldrawUser}
        colorScheme="system"
        components={components}
        assetUrls={assetUrls}
        maxAssetSize={largestPictureBytes}
        {...(licenseKey && { licenseKey })}
        onMount={onMount}
      />
    </BoardContext>
  )
}

/**
 * tldraw's preferences (dark mode and the like) stay those of the browser; who the user is comes from us, one per tab. The
 * result stays the same object: with another one tldraw would begin anew, without its undo history.
 */
function useTldrawUser(user: User, clientId: number) {
  const [current] = useState(() => atom('user', user))
  useEffect(() => {
    current.set(user)
  }, [current, user])
  return useMemo(() => {
    const userPreferences = computed('user preferences', () => {
      const { name, color } = current.get()
      return { ...getUserPreferences(), id: String(clientId), name, color }
    })
    return createTLCurrentUser({
      userPreferences,
      setUserPreferences: ({ id: _, name: __, color: ___, ...preferences }) =>
        setUserPreferences({ ...preferences, id: getUserPreferences().id }),
    })
  }, [current, clientId])
}
