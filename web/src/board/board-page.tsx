/** A board's page: connecting, the canvas, or why there is none. */
import { useEffect, useMemo } from 'react'
import { currentUser } from '../identity.ts'
import { noteOpened } from '../recent-boards.ts'
import { useYjsSync } from '../sync/use-yjs-sync.ts'
import { Canvas } from './canvas.tsx'
import { ClosedMessage } from './closed-message.tsx'
import { Skeleton } from './skeleton.tsx'
import './board.css'

const wsUrl = `${location.origin.replace(/^http/, 'ws')}/boards`

export default function BoardPage({ boardId }: { boardId: string }) {
  const user = useMemo(currentUser, [])
  const sync = useYjsSync({ boardId: encodeURIComponent(boardId), wsUrl, user })
  const isLoaded = sync?.loaded ?? false

  useEffect(() => {
    if (!isLoaded) return
    document.title = `${boardId} · boardsync`
    noteOpened(boardId)
  }, [boardId, isLoaded])

  return (
    <div className="board">
      <div className="board-canvas" inert={sync?.closed !== undefined}>
        {sync?.loaded ? <Canvas sync={sync} user={user} /> : !sync?.closed && <Skeleton />}
      </div>
      {sync?.closed && <ClosedMessage code={sync.closed.code} reason={sync.closed.reason} />}
    </div>
  )
}
