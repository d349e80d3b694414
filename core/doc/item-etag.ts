/** The ETag of an item: a hash of its content, so that edits elsewhere on the board don't spoil anybody's If-Match. */
import { createHash } from 'node:crypto'
import type { Item } from '../contract/item.ts'

/** Strong and quoted. Equal items have equal tags, whatever the order of their keys. */
export function itemEtag(item: Item): string {
  return `"${createHash('sha256').update(canonicalJson(item)).digest('base64url').slice(0, 22)}"`
}

/**
 * Whether a request with this If-Match header may go ahead on the item (RFC 9110, 13.1.1): `*` or a list of tags, compared
 * strongly, so a weak tag matches nothing.
 */
export function ifMatchHolds(header: string, item: Item): boolean {
  if (header.trim() === '*') return true
  const tag = itemEtag(item)
  return header.split(',').some(candidate => candidate.trim() === tag)
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
