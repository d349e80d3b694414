/**
 * `npm run bench`: every scenario on every server, in rounds that interleave the servers, and `bench/RESULTS.md` of it.
 *
 *   --quick            smaller loads, one round: to see where things stand
 *   --only=a,b         these scenarios
 *   --servers=a,b      these servers
 *   --rounds=3
 *   --dry              write no report
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Rounds, sectionOf } from './report.ts'
import type { Figures, Scale, Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import type { ServerName } from './servers.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))
const results = `${folder}RESULTS.md`

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    servers: { type: 'string' },
    rounds: { type: 'string' },
    dry: { type: 'boolean', default: false },
  },
})
const scale: Scale = flags.quick ? 'quick' : 'full'
const rounds = Number(flags.rounds ?? (flags.quick ? 1 : 3))

installPeers()
const chosen = scenarios.filter(({ name }) => flags.only === undefined || flags.only.split(',').includes(name))
const sections = new Map(readSections())
for (const scenario of chosen) {
  const figures = await measure(scenario)
  const section = sectionOf(scenario, figures, made())
  console.log(`\n${section}`)
  sections.set(scenario.title, section)
  if (!flags.dry) writeFileSync(results, reportOf(sections))
}

async function measure(scenario: Scenario): Promise<Rounds> {
  const servers = scenario.servers.filter(
    name => flags.servers === undefined || flags.servers.split(',').includes(name),
  )
  const all: Rounds = new Map(servers.map(name => [name, new Map()]))
  for (let round = 1; round <= rounds; round++) {
    for (const name of servers) {
      const figures = await runApart(scenario, name).catch(error => {
        console.error(`${scenario.name} on ${name}: no figures: ${error.message}`)
        return {} as Figures
      })
      console.log(`${scenario.name} round ${round} ${name} ${JSON.stringify(figures)}`)
      // A round that failed leaves its place: ratios are of figures of one round.
      for (const { key } of scenario.figures) {
        const values = all.get(name)
        values?.set(key, [...(values.get(key) ?? []), figures[key] ?? Number.NaN])
      }
    }
  }
  return all
}

/** In a process of its own, which is the load and starts the server. */
function runApart(scenario: Scenario, name: ServerName): Promise<Figures> {
  const child: ChildProcess = fork(`${folder}run-one.ts`, [scenario.name, name, scale], {
    execArgv: ['--import', 'tsx', '--max-old-space-size=8192'],
  })
  return new Promise((resolve, reject) => {
    child.once('message', figures => resolve(figures as Figures))
    child.once('exit', code => reject(new Error(`the load ended with ${code}`)))
  })
}

function installPeers(): void {
  if (existsSync(`${folder}node_modules/@hocuspocus/server`)) return
  console.log('Installing the servers to compare with, once, into bench/node_modules …')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: folder,
    stdio: 'inherit',
  })
  if (status !== 0) throw new Error('npm ci failed in bench/')
}

/** What an earlier run measured stays, unless it is measured again. */
function readSections(): [string, string][] {
  if (!existsSync(results)) return []
  const text = readFileSync(results, 'utf8')
  return text
    .split(/^(?=## )/m)
    .slice(1)
    .map(section => [/^## (.*)$/m.exec(section)?.[1] ?? '', `${section.trimEnd()}\n`])
}

function made(): string {
  const size = flags.quick ? ' of smaller loads than the title says (`--quick`)' : ''
  return `${rounds} round${rounds === 1 ? '' : 's'}${size}, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}`
}

function reportOf(all: ReadonlyMap<string, string>): string {
  const [cpu] = cpus()
  const machine = `${cpus().length} × ${cpu?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB`
  const inOrder = scenarios.flatMap(({ title }) => all.get(title) ?? [])
  return `# Measured side by side

Written by \`npm run bench\` on ${machine}; load average at the end ${loadavg()[0]?.toFixed(1)}. Each section is of one run, and says of which.
Medians of interleaved rounds; a goal's ratio is the median of the rounds' ratios. CPU is that of the server's processes
(/proc), without its database. boardsync commits every edit to a Postgres with \`fsync\` before anybody else gets it; the others
hold it in memory unless their name says otherwise. At the end of every run all clients have to hold the same content with
nothing missing, and so has a newcomer; a run that fails this has no figures (–).

${inOrder.join('\n')}`
}
