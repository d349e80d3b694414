/** Hands the board, as this page has it, to the person as a `.tldr` file. */
import type { YjsSync } from '../sync/index.ts'

export function downloadBoard(sync: YjsSync, boardId: string): void {
  const url = URL.createObjectURL(new Blob([sync.exportFile()], { type: 'application/vnd.tldraw+json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `${boardId}.tldr`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
