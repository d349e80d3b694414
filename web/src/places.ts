/** Addresses of the page: which path shows what. */

export type Place = { kind: 'home' } | { kind: 'board'; boardId: string } | { kind: 'nowhere' }

export function placeAt(path: string): Place {
  if (path === '/') return { kind: 'home' }
  const [, boardId] = /^\/b\/([^/]+)$/.exec(path) ?? []
  return boardId === undefined ? { kind: 'nowhere' } : { kind: 'board', boardId: decode(boardId) }
}

export const pathOfBoard = (boardId: string): string => `/b/${encodeURIComponent(boardId)}`

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // No valid encoding: then it is no board id either, and the server will say so.
    return text
  }
}
