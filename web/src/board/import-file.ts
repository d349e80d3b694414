/** Puts a `.tldr` file on a board, beside what is there. */
import { api } from '../api.ts'
import type { Said } from '../sharing/share-actions.ts'

const fileType = 'application/vnd.tldraw+json'

/** What came of it; empty where the server had no answer yet. */
interface Imported {
  shapes?: number
  pages?: number
}

export const isBoardFile = ({ name }: Pick<File, 'name'>): boolean => /\.tldr$/i.test(name)

/** @returns what came of it, for people */
export async function importFile(boardId: string, file: File): Promise<Said> {
  try {
    const body = new File([file], file.name, { type: fileType })
    const imported = await api<Imported>(`/boards/${boardId}/import`, { method: 'POST', body })
    return { text: saidOf(file.name, imported), isFailure: false }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { text: `${file.name} could not be put on this board: ${reason}`, isFailure: true }
  }
}

function saidOf(name: string, { shapes, pages = 1 }: Imported): string {
  if (shapes === undefined) return `${name} is on its way to this board.`
  const things = shapes === 1 ? '1 thing' : `${shapes} things`
  return `${name}: ${things}${pages > 1 ? `, on ${pages} pages,` : ''} came onto this board.`
}
