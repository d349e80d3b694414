/** The tldraw canvas of a board, with our presence bar and connection indicator in tldraw's own layout. */
import { useCallback, useEffect, useMemo, useState } from 'react'
import {
  atom,
  computed,
  createTLCurrentUser,
  type Editor,
  getUserPreferences,
  setUserPreferences,
  type TLAssetId,
  type TLComponents,
  type TLUiOverrides,
  Tldraw,
} from 'tldraw'
import 'tldraw/tldraw.css'
import type { User } from '../identity.ts'
import { pageConfig } from '../page-config.ts'
import { pictureTypes, type YjsSync } from '../sync/index.ts'
import { assetUrls } from './asset-urls.ts'
import { BoardContext } from './board-context.ts'
import { keepLinksPlain, linkOverrides, linkShapes } from './links.ts'
import { MainMenu } from './main-menu.tsx'
import { SharePanel } from './share-panel.tsx'
import { sharePointer } from './share-pointer.ts'
import { useLeaveGuard } from './use-leave-guard.ts'

const { licenseKey } = pageConfig()
const components: TLComponents = { MainMenu, SharePanel, TopPanel: null }

/** What the server refuses is refused here already, in words. */
const largestPictureBytes = 10 * 1024 * 1024
const pictureOverrides: TLUiOverrides = {
  translations: {
    en: {
      'assets.files.type-not-allowed': 'A board takes PNG, JPEG, WebP and GIF pictures and .tldr files, no others',
    },
  },
}
const overrides = [pictureOverrides, linkOverrides]
const noTypes: string[] = []
/** A picture is shown from memory while it is not on the server, however long that takes. */
const options = { temporaryAssetPreviewLifetimeMs: 2 ** 31 - 1 }

declare global {
  interface Window {
    /** For looking into a running page from the browser's console; nothing in the page reads it. */
    boardsync?: { editor: Editor; provider: YjsSync['provider'] }
  }
}

interface CanvasProps {
  boardId: string
  sync: YjsSync
  user: User
  onUser: (user: User) => void
}

export function Canvas({ boardId, sync, user, onUser }: CanvasProps) {
  const { store, provider, connected, pictures } = sync
  useLeaveGuard(sync.hasUnsaved)
  const board = useMemo(() => ({ boardId, sync, user, onUser }), [boardId, sync, user, onUser])
  const tldrawUser = useTldrawUser(user, provider.awareness.clientID)

  const onMount = useCallback(
    (editor: Editor) => {
      window.boardsync = { editor, provider }
      for (const [id, picture] of pictures.waiting) editor.createTemporaryAssetPreview(id as TLAssetId, picture)
      refuseSvg(editor)
      keepLinksPlain(editor)
      return sharePointer(editor)
    },
    [provider, pictures],
  )

  return (
    <BoardContext value={board}>
      <Tldraw
        store={{ store, status: 'synced-remote', connectionStatus: connected ? 'online' : 'offline' }}
        user={tldrawUser}
        colorScheme="system"
        components={components}
        shapeUtils={linkShapes}
        assetUrls={assetUrls}
        maxAssetSize={largestPictureBytes}
        acceptedImageMimeTypes={pictureTypes}
        acceptedVideoMimeTypes={noTypes}
        overrides={overrides}
        options={options}
        {...(licenseKey && { licenseKey })}
        onMount={onMount}
      />
    </BoardContext>
  )
}

/** SVG pasted as text would throw where no SVG is taken; as a file it is refused in words. */
function refuseSvg(editor: Editor): void {
  editor.registerExternalContentHandler('svg-text', ({ text }) => {
    const file = new File([text], 'pasted.svg', { type: 'image/svg+xml' })
    void editor.putExternalContent({ type: 'files', files: [file] })
  })
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
