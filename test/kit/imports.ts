/** Every import of a source file, read from its text: enough for formatted code, where each import begins a line. */

import { posix } from 'node:path'

export interface Import {
  /** As written: `../base/config.ts`, `node:fs`, `yjs`. */
  specifier: string
  /** `type`: gone at run time. `dynamic`: `import('…')`, loaded when that line runs. */
  kind: 'static' | 'type' | 'dynamic'
}

const staticImport = /^[ \t]*(?:import|export)(\s+type)?\s+(?:[\w$*{},\s]+?\sfrom\s*)?['"]([^'"]+)['"]/gm
const dynamicImport = /\bimport\(\s*(?:\/\*.*?\*\/\s*)?['"]([^'"]+)['"]/g

export function importsOf(source: string): Import[] {
  const code = withoutComments(source)
  const fixed = [...code.matchAll(staticImport)].map(
    ([, type, specifier = '']): Import => ({ specifier, kind: type ? 'type' : 'static' }),
  )
  const dynamic = [...code.matchAll(dynamicImport)].map(
    ([, specifier = '']): Import => ({ specifier, kind: 'dynamic' }),
  )
  return [...fixed, ...dynamic]
}

/** Strings stay, for `'https://…'` and `'**\/*.ts'` hold no comments. */
export function withoutComments(source: string): string {
  const stringOrComment = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g
  return source.replace(stringOrComment, found => (found.startsWith('/') ? '' : found))
}

/** The package an import names: `@tldraw/store` of `@tldraw/store/lib/x`; undefined for files and Node's own modules. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('node:')) return undefined
  const [scope = '', name = ''] = specifier.split('/')
  return scope.startsWith('@') ? `${scope}/${name}` : scope
}

/** What running `entry` loads at once: its static imports and theirs, as files and as packages. `import()` comes later. */
export function loadedBy(
  entry: string,
  sources: ReadonlyMap<string, string>,
): { files: Set<string>; packages: Set<string> } {
  const files = new Set([entry])
  const packages = new Set<string>()
  for (const file of files) {
    for (const { specifier, kind } of importsOf(sources.get(file) ?? '')) {
      if (kind !== 'static') continue
      const name = packageOf(specifier)
      if (name) packages.add(name)
      if (specifier.startsWith('.')) files.add(posix.join(posix.dirname(file), specifier))
    }
  }
  return { files, packages }
}
