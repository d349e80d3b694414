/** Which page is meant where none is named: by an agent's new item, by its cursor, by what has lost its own page. */

export interface Page {
  id: string
  index: unknown
}

/** As tldraw names the page that it makes by itself. */
export const firstPageId = 'page:page'

/** The one that tldraw makes by itself, or on a board where other programs made the pages their first. */
export function usualPage(pages: Iterable<Page>): string {
  let first: { id: string; index: string } | undefined
  for (const page of pages) {
    if (page.id === firstPageId) return firstPageId
    const index = String(page.index)
    if (!first || index < first.index || (index === first.index && page.id < first.id)) first = { id: page.id, index }
  }
  return first?.id ?? firstPageId
}
