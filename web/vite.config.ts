/** How the page is built. `build.ts` runs it and says where the result goes. */

import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react()],
  build: {
    target: 'es2022',
    // tldraw's icons are one SVG, used by fragment (#name): that needs a file, not a data URL.
    assetsInlineLimit: 0,
    // tldraw is one big chunk, loaded on boards only.
    chunkSizeWarningLimit: 5_000,
  },
})
