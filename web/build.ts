/**
 * Builds the page when its sources have changed, and says where it is. Running instances keep serving the build they have.
 * Vite runs in a child process: a server that only serves never loads it.
 */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ensureMade } from '../core/base/made-folder.ts'
import { compressFiles } from './compress.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What the built page is made of and by, beside the files elsewhere that `web/src` imports. */
const ownSources = ['web/index.html', 'web/vite.config.ts', 'web/compress.ts', 'web/src', 'package-lock.json']

/**
 * @returns the folder of the built page
 * @throws when the page has to be built and cannot be
 */
export async function ensurePageBuilt({ log = () => {} }: { log?: (line: string) => void } = {}): Promise<string> {
  return ensureMade('page', await hashOfSources(), async folder => {
    log('building the page…')
    const begun = performance.now()
    await run(viteProgram(), ['build', 'web', '--outDir', folder, '--logLevel', 'warn'])
    await compressFiles(join(folder, 'assets'))
    log(`page built in ${((performance.now() - begun) / 1000).toFixed(1)} s`)
  })
}

function viteProgram(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js')
  } catch (cause) {
    throw new Error('the page is not built and vite is not installed: run npm ci and npm run build first', { cause })
  }
}

/** Runs a Node program to its end. What it prints is shown only when it fails. */
function run(program: string, args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    // Nothing else of the environment: the same sources make the same page wherever they are built.
    const env = { NODE_ENV: 'production' }
    const child = spawn(process.execPath, [program, ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        output += text
      })
    }
    child.once('error', reject)
    child.once('close', code => {
      if (code === 0) resolve()
      else reject(new Error(`the page could not be built:\n${output}`))
    })
  })
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256')
  const listed = await Promise.all(ownSources.map(source => filesIn(join(root, source))))
  const files = new Set(listed.flat())
  // A set hands out what is added to it while it is walked.
  for (const file of files) {
    const content = await readFile(file)
    hash
      .update(`${relative(root, file)}\0`)
      .update(content)
      .update('\0')
    if (/\.tsx?$/.test(file))
      for (const path of relativeImports(content.toString())) files.add(join(dirname(file), path))
  }
  return hash.digest('hex')
}

const relativeImports = (code: string): string[] =>
  [...code.matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']*)'/g)].flatMap(([, path]) => path ?? [])

async function filesIn(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(await ensurePageBuilt({ log: console.log }))
}
