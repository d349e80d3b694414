/** Holds the floors of the design: reads every import of every file and says which one goes the wrong way. */

import { describe, expect, test } from 'vitest'
import { floorFaults } from './kit/floors.ts'
import { importsOf } from './kit/imports.ts'
import { readSources } from './kit/sources.ts'

test('imports go down, never up, never round', () => {
  const sources = readSources()
  expect(sources.size).toBeGreaterThan(20)
  expect(floorFaults(sources)).toEqual([])
})

describe('the floors', () => {
  const faultsOf = (files: Record<string, string>) => floorFaults(new Map(Object.entries(files)))

  test.each([
    ['down', 'ws/room/room.ts', '../../core/store/storage.ts'],
    ['down, across many floors', 'main.ts', './core/base/config.ts'],
    ['beside, in the same folder', 'core/store/postgres.ts', './storage.ts'],
    ['beside, in a folder within', 'api-bridge/app.ts', './items/routes.ts'],
    ['the page, of what both sides share', 'web/src/binding.ts', '../../core/doc/record-layout.ts'],
    ['a test, of anything', 'core/doc/items.test.ts', '../../ws/server/upgrade.ts'],
    ['a test, of what is for development', 'core/doc/items.test.ts', 'fast-check'],
    ['the build of the page, of what is for development', 'web/build.ts', 'vite'],
    ['a test, of the kit', 'ws/room/room.test.ts', '../../test/kit/until.ts'],
  ])('allow an import %s', (_, file, specifier) => {
    expect(faultsOf({ [file]: `import { x } from '${specifier}'` })).toEqual([])
  })

  test.each([
    ['up', 'core/doc/items.ts', '../auth/credential.ts', 'core/doc is on floor 3, core/auth on floor 3'],
    ['up', 'core/base/log.ts', '../auth/authenticate.ts', 'core/base is on floor 0, core/auth on floor 3'],
    ['up', 'ws/room/room.ts', '../server/upgrade.ts', 'imports go down'],
    [
      'of the server by the page',
      'web/src/app.tsx',
      '../../core/base/config.ts',
      'imports only core/contract and core/doc',
    ],
    ['of the page by the server', 'main.ts', './web/src/app.tsx', 'web/src on floor 7'],
    ['of the page by its own build', 'web/build.ts', './src/app.tsx', 'web imports only core/contract and core/base'],
    ['of rooms by a migration', 'migrations/run.ts', '../ws/room/room.ts', 'imports only core/base and core/store'],
    [
      'of the kit by production code',
      'core/store/a.ts',
      '../../test/kit/until.ts',
      'production code never imports tests',
    ],
    ['of a test file', 'core/store/a.ts', './b.test.ts', 'production code never imports tests'],
    ['of what only tests have', 'core/doc/any-item.ts', 'fast-check', 'production code never imports it'],
    ['of React outside the page', 'web/serve.ts', 'react', 'only the page'],
    ['of tldraw in a test', 'test/tabs.test.ts', 'tldraw', 'only the page'],
    ['of tldraw by a deep path', 'core/doc/items.ts', 'tldraw/tldraw.css', 'only the page'],
    ['from a folder without a floor', 'extra/a.ts', '../core/base/log.ts', 'extra has no floor yet'],
  ])('refuse an import %s', (_, file, specifier, rule) => {
    const [fault, ...others] = faultsOf({ [file]: `import { x } from '${specifier}'` })
    expect(fault).toContain(`${file} imports ${specifier}: `)
    expect(fault).toContain(rule)
    expect(others).toEqual([])
  })

  test('refuse a ring, and name it', () => {
    const ring = {
      'core/base/a.ts': `import { b } from './b.ts'`,
      'core/base/b.ts': `export type { C } from './c.ts'`,
      'core/base/c.ts': `export const c = await import('./a.ts')`,
    }
    expect(faultsOf(ring)).toEqual([
      'core/base/c.ts imports core/base/a.ts: imports never go round (core/base/a.ts → core/base/b.ts → core/base/c.ts → core/base/a.ts)',
    ])
  })

  test.each([
    'const port = process.env.PORT',
    `const port = process['env'].PORT`,
    'const { env } = process',
    `import { argv, env } from 'node:process'`,
  ])('refuse reading the environment beside the configuration: %s', line => {
    expect(faultsOf({ 'ws/server/listen.ts': line })).toEqual([expect.stringContaining('reads process.env')])
    expect(faultsOf({ 'core/base/config.ts': line, 'test/kit/instance.ts': line })).toEqual([])
    expect(faultsOf({ 'ws/server/listen.ts': `// ${line}\n/* ${line} */` })).toEqual([])
  })
})

test('every way to import is seen, and nothing else', () => {
  const source = `
    import a from 'one'
    import b, { type C } from "two"
    import * as d from 'three'
    import type { E } from 'four'
    import 'five'
    import {
      f,
      g,
    } from 'six'
    export * from 'seven'
    export { h } from 'eight'
    export type { I } from 'nine'
    const j = await import('ten')
    // import k from 'commented out'
    /* import l from 'commented out'
    import m from 'commented out' */
    const everything = '**/*.ts' // not the start of a comment
    import n from 'eleven'
    export const o = 'not an import'
    export function p() { return Array.from('not an import') }
  `
  const seen = importsOf(source).map(({ specifier, kind }) => `${specifier} ${kind}`)
  expect(seen).toEqual([
    'one static',
    'two static',
    'three static',
    'four type',
    'five static',
    'six static',
    'seven static',
    'eight static',
    'nine type',
    'eleven static',
    'ten dynamic',
  ])
})
