/**
 * What is done on Redis in one step. Every script has all its keys in one slot, so that a Cluster takes it, too.
 *
 *   a lease      the key of its name                  its holder, or `free:` and the mark of the one before
 *   a group      boardsync:kept:{group}:until         names, by the time (ms, Redis's clock) until which they are kept
 *                boardsync:kept:{group}:values        name → value
 */

import type { Lease } from './bus.ts'

/** Runs a script where its keys are. Rejects when that is not possible now. */
export type RunScript = (
  script: string,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<unknown>

const freePrefix = 'free:'
/** So long whoever takes the lease is told the mark of the one before. */
const markKeptForMs = 10_000

/** Takes a lease that is free, or renews one's own; never anybody else's. */
const takeLease = `
  local holder = redis.call('GET', KEYS[1])
  local mark = ''
  if holder and string.sub(holder, 1, ${freePrefix.length}) == '${freePrefix}' then
    mark = string.sub(holder, ${freePrefix.length + 1})
  elseif holder and holder ~= ARGV[1] then
    return false
  end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return mark`
const releaseLease = `
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[1], '${freePrefix}' .. ARGV[2], 'PX', ${markKeptForMs})
  return 1`

/** Instances that died leave their names behind: whoever comes by takes them away. */
const tidy = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local lapsed = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)
  for _, name in ipairs(lapsed) do
    redis.call('ZREM', KEYS[1], name)
    redis.call('HDEL', KEYS[2], name)
  end`
const keepIt = `${tidy}
  redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
  for _, key in ipairs(KEYS) do
    if redis.call('PTTL', key) < tonumber(ARGV[3]) then redis.call('PEXPIRE', key, ARGV[3]) end
  end`
const forgetIt = `redis.call('ZREM', KEYS[1], ARGV[1]) redis.call('HDEL', KEYS[2], ARGV[1])`
const readKept = `${tidy} return redis.call('HGETALL', KEYS[2])`

export async function takeLeaseBy(
  run: RunScript,
  name: string,
  holder: string,
  ms: number,
): Promise<Lease | undefined> {
  const mark = await run(takeLease, [name], [holder, ms])
  if (typeof mark !== 'string') return undefined
  return mark === '' ? {} : { after: mark }
}

/** @returns whether it was this holder's */
export async function releaseLeaseBy(run: RunScript, name: string, holder: string, mark: string): Promise<boolean> {
  return (await run(releaseLease, [name], [holder, mark])) === 1
}

export async function keepBy(run: RunScript, group: string, name: string, value: string, ms: number): Promise<void> {
  await run(keepIt, keysOf(group), [name, value, ms])
}

export async function forgetBy(run: RunScript, group: string, name: string): Promise<void> {
  await run(forgetIt, keysOf(group), [name])
}

export async function keptBy(run: RunScript, group: string): Promise<ReadonlyMap<string, string>> {
  const answer = await run(readKept, keysOf(group), [])
  const kept = new Map<string, string>()
  if (!Array.isArray(answer)) return kept
  for (let at = 0; at + 1 < answer.length; at += 2) kept.set(String(answer[at]), String(answer[at + 1]))
  return kept
}

const keysOf = (group: string): string[] => [`boardsync:kept:{${group}}:until`, `boardsync:kept:{${group}}:values`]
