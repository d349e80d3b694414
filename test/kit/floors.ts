/**
 * The floors: imports go down, never up, never round. A file imports from its own folder and from lower floors.
 * `docs/ARCHITECTURE.md` says why each folder is where it is; this says so to whoever breaks it.
 */

import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { type Import, importsOf, packageOf, withoutComments } from './imports.ts'
import { projectRoot } from './sources.ts'

interface Area {
  floor: number
  /** Instead of "all lower floors": the only areas that may be imported. */
  only?: readonly string[]
}

/** By folder; the longest that fits counts. A folder that is not here has no place yet: give it one. */
const areas: Record<string, Area> = {
  'core/base': { floor: 0 },
  'core/contract': { floor: 1 },
  'core/store': { floor: 2 },
  'core/bus': { floor: 2 },
  'ws/protocol': { floor: 2 },
  'core/doc': { floor: 3 },
  'core/auth': { floor: 3 },
  'ws/room': { floor: 4 },
  'api-bridge': { floor: 4 },
  ops: { floor: 4 },
  'ws/server': { floor: 5 },
  migrations: { floor: 4, only: ['core/base', 'core/store'] },
  /** The Node side: builds the page and serves it. */
  web: { floor: 4, only: ['core/contract', 'core/base'] },
  /** The page itself. It runs in a browser, and nothing on the server imports it. */
  'web/src': { floor: 7, only: ['core/contract', 'core/doc'] },
  /** `main.ts` and the files beside it. */
  '.': { floor: 6 },
}

/** May import anything, and nothing else may import them. */
const testFile = /^(test|bench)\/|\.test\.tsx?$/

/** `tldraw` keeps a Node process alive, so not even tests take it outside the page. */
const pagePackages = ['tldraw', '@tldraw/editor', 'react', 'react-dom']
/** What is installed for development only: an image has none of it. */
const { devDependencies } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>
}
/** Where they may be loaded: in tests, in settings of tools, and where the page is built. */
const developmentFile = /\.config\.ts$|^web\//
const settingsReader = 'core/base/config.ts'
const environmentRead =
  /\bprocess(\?\.|\.)env\b|\bprocess\[\s*['"]env['"]|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b|\{[^}]*\benv\b[^}]*\}\s*from\s*['"](node:)?process['"]/

/** Source text by path from the project's root, with `/`. */
export type Sources = ReadonlyMap<string, string>

/** @returns one sentence per fault: the file, the import and the rule */
export function floorFaults(sources: Sources): string[] {
  const faults: string[] = []
  for (const [file, source] of sources) {
    for (const { specifier, kind } of importsOf(source)) {
      const rule = specifier.startsWith('.')
        ? brokenByFile(file, posix.join(posix.dirname(file), specifier))
        : brokenByPackage(file, packageOf(specifier), kind)
      if (rule) faults.push(`${file} imports ${specifier}: ${rule}`)
    }
    if (!testFile.test(file) && file !== settingsReader && environmentRead.test(withoutComments(source))) {
      faults.push(`${file} reads process.env: only ${settingsReader} does, everything else is given its settings`)
    }
  }
  return [...faults, ...cycles(sources)]
}

function brokenByFile(file: string, target: string): string | undefined {
  if (testFile.test(file)) return undefined
  if (testFile.test(target)) return 'production code never imports tests'

  const [from, to] = [areaOf(file), areaOf(target)]
  const [own, theirs] = [areas[from], areas[to]]
  if (!own) return `${from} has no floor yet; give it one in test/kit/floors.ts`
  if (!theirs) return `${to} has no floor yet; give it one in test/kit/floors.ts`
  if (from === to) return undefined
  if (own.only) return own.only.includes(to) ? undefined : `${from} imports only ${own.only.join(' and ')}`
  if (theirs.floor < own.floor) return undefined
  return `${from} is on floor ${own.floor}, ${to} on floor ${theirs.floor}; imports go down`
}

function brokenByPackage(file: string, name: string | undefined, kind: Import['kind']): string | undefined {
  if (!name) return undefined
  if (!pagePackages.includes(name) || areaOf(file) === 'web/src') {
    const isLoaded = kind !== 'type' && !testFile.test(file) && !developmentFile.test(file)
    return isLoaded && name in devDependencies
      ? `${name} is for development; production code never imports it`
      : undefined
  }
  return `only the page (web/src) imports ${pagePackages.join(', ')}`
}

function areaOf(file: string): string {
  for (let folder = posix.dirname(file); folder !== '.'; folder = posix.dirname(folder)) {
    if (folder in areas) return folder
  }
  return file.includes('/') ? posix.dirname(file) : '.'
}

/** Each ring of files once, by the import that closes it. */
function cycles(sources: Sources): string[] {
  const faults: string[] = []
  const done = new Set<string>()
  const path: string[] = []

  const visit = (file: string): void => {
    if (done.has(file)) return
    const start = path.indexOf(file)
    if (start >= 0) {
      const ring = [...path.slice(start), file]
      faults.push(`${path.at(-1)} imports ${file}: imports never go round (${ring.join(' → ')})`)
      return
    }
    path.push(file)
    for (const { specifier } of importsOf(sources.get(file) ?? '')) {
      const target = posix.join(posix.dirname(file), specifier)
      if (specifier.startsWith('.') && sources.has(target)) visit(target)
    }
    path.pop()
    done.add(file)
  }
  for (const file of sources.keys()) visit(file)
  return faults
}
