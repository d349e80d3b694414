/** Where tldraw finds its fonts, icons and translations: on our own server, copied from `@tldraw/assets` at build time. */
import { getAssetUrlsByImport } from '@tldraw/assets/imports.vite'

export const assetUrls = getAssetUrlsByImport()
