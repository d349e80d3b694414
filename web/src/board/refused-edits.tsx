/** Says that edits were refused, to somebody who may only look, and lets them keep those as a file. */
import type { YjsSync } from '../sync/index.ts'
import { downloadBoard } from './download-board.ts'

export function RefusedEdits({ sync, boardId }: { sync: YjsSync; boardId: string }) {
  if (!sync.mayOnlyRead || !sync.hasUnsaved || sync.ending) return null
  return (
    <div className="notice" role="alert" data-testid="refused-edits">
      <span>You may only look at this board: your last edits were not stored.</span>
      <button type="button" className="link-button" onClick={() => downloadBoard(sync, boardId)}>
        Download my edits
      </button>
      <button type="button" className="link-button" onClick={sync.discard}>
        Discard them
      </button>
    </div>
  )
}
