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

const pageSize = 100
/** A small picture shows no more. */
const drawnAtMost = 300

const addressOf = (id: string) => `/boards/${id}`

export interface BoardPage {
  boards: Board[]
  next: string | null
}
export function listBoards(cursor?: string): Promise<BoardPage> {
  return api(`/boards?limit=${pageSize}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)
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
