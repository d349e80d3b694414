/** Hands the board to the person as a `.tldr` file. */
import type { YjsSync } from '../sync/index.ts'

/** As this page has it, with what is not saved, and without its pictures. */
export function downloadBoard(sync: YjsSync, boardId: string): void {
  const url = URL.createObjectURL(new Blob([sync.exportFile()], { type: 'application/vnd.tldraw+json' }))
  download(url, boardId)
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** As the server has it, with its pictures in it. */
export const downloadFromServer = (boardId: string): void => download(`/v1/boards/${boardId}/export`, boardId)

function download(url: string, boardId: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = `${boardId}.tldr`
  link.click()
}
