/** Boards as the REST API tells of them. */
import type { PresentPeer } from '../../../core/contract/present-peer.ts'
import { api } from '../api.ts'

export interface Board {
  id: string
  title: string | null
  seq: number
  /** As of its last snapshot; null: it had none yet. */
  item_count: number | null
  created_at: string
  updated_at: string
}

export const nameOf = ({ id, title }: Board): string => title ?? id

export interface BoardNow extends Board {
  item_count: number
  peers: PresentPeer[]
}

/** As much of an item as a small picture needs. */
export interface DrawnItem {
  id: string
  type: string
  x: number
  y: number
  width?: number
  height?: number
  rotation: number
  parent?: string
  content: { text?: string; from?: string; to?: string; kind?: string }
  style: { color?: string; fill?: string }
}

/** As many as the server lists in one answer. */
const pageSize = 500
/** A list of more would be slow to read, and is no use to anybody. */
export const listedAtMost = 5_000
/** A small picture shows no more. */
const drawnAtMost = 300

const addressOf = (id: string) => `/boards/${id}`

export interface ListedBoards {
  /** In the order of their ids. */
  boards: Board[]
  /** Whether there are no others. */
  isComplete: boolean
}

/** All boards: the server lists them by id, so which changed last shows only once all are here. */
export async function listBoards(): Promise<ListedBoards> {
  const boards: Board[] = []
  let cursor: string | null = null
  do {
    const address: string = `/boards?limit=${pageSize}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`
    const page: { boards: Board[]; next: string | null } = await api(address)
    boards.push(...page.boards)
    cursor = page.next
  } while (cursor !== null && boards.length < listedAtMost)
  return { boards, isComplete: cursor === null }
}

/** As lists tell of it: the server need not read the board for that. Undefined: it is not there, or not for this user. */
export async function readBoardEntry(id: string, signal: AbortSignal): Promise<Board | undefined> {
  const { boards } = await api<{ boards: Board[] }>(`/boards?id=${id}`, { signal })
  return boards[0]
}

export const readBoard = (id: string, signal: AbortSignal): Promise<BoardNow> => api(addressOf(id), { signal })

export async function readItems(id: string, signal: AbortSignal): Promise<DrawnItem[]> {
  const { items } = await api<{ items: DrawnItem[] }>(`${addressOf(id)}/items?limit=${drawnAtMost}`, { signal })
  return items
}

/** @param title empty: none */
export const renameBoard = (id: string, title: string): Promise<Board> =>
  api(addressOf(id), { method: 'PATCH', body: { title: title.trim() || null } })

export const deleteBoard = (id: string): Promise<void> => api(addressOf(id), { method: 'DELETE' })

export const restoreBoard = (id: string): Promise<Board> => api(`${addressOf(id)}/restore`, { method: 'POST' })
