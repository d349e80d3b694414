/** What the server tells the page at run time: the JSON that `serve.ts` puts into index.html. */

interface PageConfig {
  licenseKey?: string
}

export function pageConfig(): PageConfig {
  const text = document.getElementById('boardsync-config')?.textContent
  return text ? (JSON.parse(text) as PageConfig) : {}
}
