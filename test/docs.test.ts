/** What the docs give readers to paste works as it stands there: in bash and in zsh, and in this order on one board. */

import { execFile } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join, posix } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { importsOf, packageOf } from './kit/imports.ts'
import { releasing } from './kit/releasing.ts'
import { Site } from './kit/site.ts'
import { projectRoot, readSources } from './kit/sources.ts'
import { temporaryFolder } from './kit/temporary-folder.ts'
import { pixel, sha256 } from './rest/pictures.ts'

const use = releasing(afterAll)
let site: Site
beforeAll(async () => {
  site = use(await Site.start())
})
const read = (page: string): string => readFileSync(join(projectRoot, page), 'utf8')
const commandsIn = (page: string): string[] =>
  [...read(page).matchAll(/```bash\n(.*?)```/gs)].map(([, block = '']) => block)

/** As much of curl as the docs use, for a machine that has none. Says what was answered; a stream is left at once. */
const curl = `
import { readFileSync, writeFileSync } from 'node:fs'
const words = process.argv.slice(2)
const headers = {}
let url, method, body, output
const sends = (what, how) => { body = what; method ??= how }
for (let word = words.shift(); word !== undefined; word = words.shift()) {
  if (word === '-X') method = words.shift()
  else if (word === '-H') {
    const [name, value] = words.shift().split(/:\\s*/, 2)
    if (value) headers[name] = value
  } else if (word === '-d') sends(words.shift(), 'POST')
  else if (word === '--data-binary') sends(readFileSync(words.shift().slice(1)), 'POST')
  else if (word === '-T') sends(readFileSync(words.shift()), 'PUT')
  else if (word === '-o') output = words.shift()
  else if (!word.startsWith('-')) url = word
  else if (word !== '-N') throw new Error('not known here: ' + word)
}
const answer = await fetch(url, { method, headers, body })
if (output) writeFileSync(output, Buffer.from(await answer.arrayBuffer()))
console.log(answer.status, method ?? 'GET', new URL(url).pathname)
if (answer.status >= 400) console.log(await answer.text())
process.exit(0)
`

/** @returns the lines it prints; what it needs is looked for in `folder` first */
async function run(script: string, folder: string): Promise<string[]> {
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH}` }
  const { stdout } = await promisify(execFile)('sh', ['-eu', '-c', `ADMIN_KEY=\n${script}`], { cwd: folder, env })
  return stdout.split('\n').filter(Boolean)
}

/** Runs all that asks a server, on a server of ours. @returns a line for each answer, and how many there should be */
async function paste(page: string): Promise<{ answers: string[]; commands: number }> {
  const { path } = use(temporaryFolder())
  writeFileSync(join(path, 'curl.mjs'), curl)
  const standIns = {
    curl: `exec '${process.execPath}' '${join(path, 'curl.mjs')}' "$@"`,
    openssl: `echo '${sha256(pixel)} *cat.png'`,
  }
  for (const [name, script] of Object.entries(standIns)) {
    writeFileSync(join(path, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(path, name), 0o755)
  }
  writeFileSync(join(path, 'cat.png'), pixel)

  const script = commandsIn(page)
    .filter(block => block.includes('curl '))
    .join('')
  const answers = await run(script.replaceAll('http://localhost:8080', site.url), path)
  return { answers, commands: script.split(/\bcurl /).length - 1 }
}

test.each(['README.md', 'docs/AGENTS.md', 'docs/OPERATING.md'])('%s: bash and zsh read it alike', page => {
  const commands = commandsIn(page)
  expect(commands.length).toBeGreaterThan(0)
  for (const block of commands) {
    // At its prompt zsh takes no comments, and looks for files that a bare ? or * could mean.
    const bare = block.replaceAll(/'[^']*'|"[^"]*"/g, '')
    expect(bare).not.toMatch(/[#?*<[\]]/)
  }
})

test.each(['README.md', 'docs/AGENTS.md'])(
  '%s: the server does what it is told to do',
  async page => {
    const { answers, commands } = await paste(page)
    expect(answers.filter(line => !/^20[014] /.test(line))).toEqual([])
    expect(answers).toHaveLength(commands)
  },
  120_000,
)

test('docs/AGENTS.md: every problem is named, beside its status', () => {
  const table = [...read('docs/AGENTS.md').matchAll(/^\| ([\d, ]+) \| ((?:`[a-z-]+`,? ?)+) \|$/gm)]
  const named = table.flatMap(([, statuses = '', names = '']) => {
    const each = statuses.split(', ')
    return [...names.matchAll(/[a-z-]+/g)].map(([name], at) => `${name} ${each.length > 1 ? each[at] : each[0]}`)
  })
  const source = read('api-bridge/problems.ts')
  const known = [...source.matchAll(/^ {2}'?([a-z-]+)'?: \[\s*(\d{3}),/gm)].map(
    ([, name, status]) => `${name} ${status}`,
  )
  expect(known.length).toBeGreaterThan(30)
  expect(named.sort()).toEqual(known.sort())
})

test('README.md: whoever copies the hook is told of every file and package it needs', () => {
  const sources = readSources()
  const files = new Set([...sources.keys()].filter(file => /^web\/src\/sync\/(?!.*\.test\.)/.test(file)))
  const packages = new Set<string>()
  for (const file of files) {
    for (const { specifier } of importsOf(sources.get(file) ?? '')) {
      const name = packageOf(specifier)
      if (name) packages.add(name)
      else files.add(posix.join(posix.dirname(file), specifier))
    }
  }
  const [, section = ''] = /## Use the canvas in your app\n(.*?)```/s.exec(read('README.md')) ?? []
  const others = [...files].filter(file => !file.startsWith('web/src/sync/'))
  expect(others.map(file => file.replace(/^core\//, '')).filter(file => !section.includes(`\`${file}\``))).toEqual([])
  expect([...packages].filter(name => !section.includes(`\`${name}\``))).toEqual([])
  expect([others.length, packages.size]).toEqual([10, 12])
})
