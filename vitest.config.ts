import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['**/*.test.ts', '**/*.test.tsx'],
    exclude: ['**/node_modules/**', 'dist', 'data'],
    reporters: ['default', './test/kit/closing-line.ts'],
    testTimeout: 90_000,
    hookTimeout: 180_000,
  },
})
