/** The figures of all runs as `bench/RESULTS.md`: medians, ratios, goals, and a chart per scenario. */
import type { Figure, Goal, Scenario } from './scenario.ts'
import { median } from './scenario.ts'
import type { ServerName } from './servers.ts'

/** Figures of each round by server and key. */
export type Rounds = Map<ServerName, Map<string, number[]>>

interface Verdict {
  goal: Goal
  /** Median of the rounds: of a round's ratio where there is something to compare with. */
  value: number
  met: boolean
}

const barWidth = 40

/** One goal, from rounds in which all servers took turns: a round's ratio is of figures that were taken side by side. */
function judge(goal: Goal, rounds: Rounds, ours: ServerName = 'boardsync'): Verdict | undefined {
  const own = rounds.get(ours)?.get(goal.figure) ?? []
  const better = goal.atLeast === undefined ? Math.min : Math.max
  const values = own.flatMap((value, round) => {
    if (!Number.isFinite(value)) return []
    if (!goal.to) return [value]
    const others = goal.to.flatMap(name => rounds.get(name)?.get(goal.figure)?.[round] ?? [])
    return others.length === goal.to.length && others.every(Number.isFinite) ? [value / better(...others)] : []
  })
  if (values.length === 0) return undefined
  const value = median(values)
  const met =
    (goal.atMost === undefined || value <= goal.atMost) && (goal.atLeast === undefined || value >= goal.atLeast)
  return { goal, value, met }
}

/** @param made when and where: sections of one report may be of several runs */
export function sectionOf(scenario: Scenario, rounds: Rounds, made: string): string {
  const { title, about, figures, goals } = scenario
  const servers = [...rounds].filter(([, values]) => values.size > 0)
  const head = ['server', ...figures.map(figure => figure.title)]
  const rows = servers.map(([name, values]) => [name, ...figures.map(figure => shown(figure, values.get(figure.key)))])
  const lines = [`## ${title}`, '', about, `(${made})`, '', row(head), row(head.map(() => '---')), ...rows.map(row)]
  const [charted] = figures
  if (charted && servers.length > 1) lines.push('', ...chart(charted, servers))
  const verdicts = goals.flatMap(goal => judge(goal, rounds) ?? [])
  if (verdicts.length > 0) lines.push('', ...verdicts.map(verdict => sentenceOf(verdict, figures)))
  return `${lines.join('\n')}\n`
}

function chart(figure: Figure, servers: readonly [ServerName, Map<string, number[]>][]): string[] {
  const bars = servers.map(([name, values]) => ({ name, value: median(values.get(figure.key) ?? []) }))
  const most = Math.max(...bars.map(({ value }) => (Number.isFinite(value) ? value : 0)), Number.MIN_VALUE)
  const widest = Math.max(...bars.map(({ name }) => name.length))
  const lines = bars.map(({ name, value }) => {
    const cells = Math.max(0, Math.round((value / most) * barWidth * 8)) || 0
    const bar = '█'.repeat(Math.floor(cells / 8)) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][cells % 8]
    return `${name.padEnd(widest)} ${bar} ${shown(figure, [value])}`
  })
  return ['```', figure.title, ...lines, '```']
}

function sentenceOf({ goal, value, met }: Verdict, figures: readonly Figure[]): string {
  const title = figures.find(({ key }) => key === goal.figure)?.title ?? goal.figure
  const bound = goal.atMost === undefined ? `at least ${goal.atLeast}` : `at most ${goal.atMost}`
  const of = goal.to ? ` × ${goal.to.length > 1 ? `the better of ${goal.to.join(' and ')}` : goal.to[0]}` : ''
  return `- ${met ? '**met**' : '**missed**'}: ${title} ${round(value)}${of} (goal: ${bound}${of && ' ×'})`
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

function shown({ digits }: Pick<Figure, 'digits'>, values: readonly number[] | undefined): string {
  const value = median(values ?? [])
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}

const round = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(0))
