/** The tldraw canvas of a board, with our presence bar and connection indicator in tldraw's own layout. */
import { useCallback, useMemo } from 'react'
import {
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
import type { YjsSync } from '../sync/use-yjs-sync.ts'
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

export function Canvas({ sync, user }: { sync: YjsSync; user: User }) {
  const { store, provider, connected } = sync
  useLeaveGuard(sync.hasUnsaved && !sync.closed)
  const tldrawUser = useMemo(() => asTldrawUser(user, provider.awareness.clientID), [user, provider])

  const onMount = useCallback(
    (editor: Editor) => {
      window.boardsync = { editor, provider }
      return sharePointer(editor)
    },
    [provider],
  )

  return (
    <BoardContext value={sync}>
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

/** tldraw's preferences (dark mode and the like) stay those of the browser; who the user is comes from us, one per tab. */
function asTldrawUser({ name, color }: User, clientId: number) {
  return createTLCurrentUser({
    userPreferences: computed('user preferences', () => ({
      ...getUserPreferences(),
      id: String(clientId),
      name,
      color,
    })),
    setUserPreferences: ({ id: _, name: __, color: ___, ...preferences }) =>
      setUserPreferences({ ...preferences, id: getUserPreferences().id }),
  })
}
