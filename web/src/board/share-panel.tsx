/** The corner of the canvas that is ours: how the connection is doing, and who is here. */
import { useBoard } from './board-context.ts'
import { ConnectionIndicator } from './connection-indicator.tsx'
import { PresenceBar } from './presence-bar.tsx'

export function SharePanel() {
  const { sync } = useBoard()
  const { status, hasUnsaved, setAside, mayOnlyRead, provider } = sync
  return (
    <div className="share-panel">
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
      <PresenceBar provider={provider} />
    </div>
  )
}
