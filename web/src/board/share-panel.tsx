/** The corner of the canvas that is ours: how the connection is doing, and who is here. */
import { useBoard } from './board-context.ts'
import { ConnectionIndicator } from './connection-indicator.tsx'
import { PresenceBar } from './presence-bar.tsx'

export function SharePanel() {
  const { status, provider } = useBoard()
  return (
    <div className="share-panel">
      <ConnectionIndicator status={status} />
      <PresenceBar provider={provider} />
    </div>
  )
}
