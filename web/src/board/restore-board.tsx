/** Brings a deleted board back, where whoever is here may do that. */
import { useState } from 'react'
import { restoreBoard } from '../home/boards.ts'

export function RestoreBoard({ boardId, onRestored }: { boardId: string; onRestored: () => void }) {
  const [failure, setFailure] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  const restore = async () => {
    setBusy(true)
    try {
      await restoreBoard(boardId)
      onRestored()
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error))
    }
    setBusy(false)
  }
  return (
    <>
      <button type="button" disabled={isBusy} onClick={() => void restore()}>
        Restore it
      </button>
      {failure && <p role="alert">It was not restored: {failure}</p>}
    </>
  )
}
