/** The corner of the canvas that is ours: how the connection is doing, who is here, and how to bring others. */
import { useCallback } from 'react'
import { useToasts } from 'tldraw'
import { MenuButton } from '../sharing/menu-button.tsx'
import { type Said, shareActions } from '../sharing/share-actions.ts'
import { useBoard } from './board-context.ts'
import { ConnectionIndicator } from './connection-indicator.tsx'
import { PresenceBar } from './presence-bar.tsx'
import { useDroppedFiles } from './use-dropped-files.ts'

export function SharePanel() {
  const { sync, boardId } = useBoard()
  const { addToast } = useToasts()
  const say = useCallback(
    ({ text, isFailure }: Said) => void addToast({ title: text, severity: isFailure ? 'error' : 'success' }),
    [addToast],
  )
  useDroppedFiles(boardId, say)
  const actions = shareActions(boardId, say)
  const { status, hasUnsaved, setAside, mayOnlyRead, provider } = sync
  return (
    <div className="share-panel">
      <div className="share-words">
        {setAside > 0 && (
          <output
            className="set-aside"
            data-testid="set-aside"
            title="They are kept on the board, and shown once they can be."
          >
            {setAside === 1 ? '1 thing' : `${setAside} things`} cannot be shown
          </output>
        )}
        {mayOnlyRead && (
          <output className="view-only" data-testid="view-only" title="You may look at this board, not edit it.">
            View only
          </output>
        )}
        <ConnectionIndicator status={status} hasUnsaved={hasUnsaved} />
      </div>
      <PresenceBar provider={provider} />
      <MenuButton label="Share this board" testId="share" actions={actions}>
        Share
      </MenuButton>
    </div>
  )
}
