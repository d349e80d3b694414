/** A board's page: connecting, the canvas, or why there is none. */
import { useCallback, useEffect, useState } from 'react'
import { currentUser, rememberUser, type User } from '../identity.ts'
import { noteOpened } from '../recent-boards.ts'
import { useYjsSync } from '../sync/index.ts'
import { Canvas } from './canvas.tsx'
import { EndingMessage } from './ending-message.tsx'
import { FailingPictures } from './failing-pictures.tsx'
import { RefusedEdits } from './refused-edits.tsx'
import { Skeleton } from './skeleton.tsx'
import { useBoardTitle } from './use-board-title.ts'
import './board.css'

const wsUrl = `${location.origin.replace(/^http/, 'ws')}/boards`

export default function BoardPage({ boardId }: { boardId: string }) {
  const [user, setUser] = useState(currentUser)
  const sync = useYjsSync({ boardId, wsUrl, user })
  const isLoaded = sync?.loaded ?? false

  useEffect(() => {
    if (isLoaded) noteOpened(boardId)
  }, [boardId, isLoaded])
  useBoardTitle(boardId, sync?.synced ?? false)

  const changeUser = useCallback((next: User) => {
    rememberUser(next)
    setUser(next)
  }, [])

  return (
    <div className="board">
      <div className="board-canvas" inert={sync?.ending !== undefined}>
        {sync?.loaded ? (
          <Canvas key={sync.provider.doc.clientID} boardId={boardId} sync={sync} user={user} onUser={changeUser} />
        ) : (
          !sync?.ending && <Skeleton />
        )}
      </div>
      {sync && (
        <div className="notices">
          <RefusedEdits sync={sync} boardId={boardId} />
          <FailingPictures sync={sync} />
        </div>
      )}
      {sync?.ending && <EndingMessage sync={sync} ending={sync.ending} boardId={boardId} />}
    </div>
  )
}
