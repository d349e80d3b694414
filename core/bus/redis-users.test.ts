/** The Redis users that docs/OPERATING.md proposes: instances may do all they need, other programs only publish changes. */

import { readFileSync } from 'node:fs'
import { Redis as Client } from 'ioredis'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Redis, startRedis } from '../../test/kit/redis.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { until } from '../../test/kit/until.ts'
import { Secret } from '../base/secret.ts'
import { parseBoardId } from '../contract/board-id.ts'
import {
  acksChannel,
  agentsChannel,
  awarenessChannel,
  everyUpdatesChannel,
  handoverChannel,
  intakeLease,
  syncChannel,
  updatesChannel,
} from '../contract/channels.ts'
import { createRedisBus } from './redis.ts'

const use = releasing()
const useForAll = releasing(afterAll)
const board = parseBoardId('b1')
let redis: Redis
beforeAll(async () => {
  redis = useForAll(await startRedis())
  const documented = readFileSync(new URL('../../docs/OPERATING.md', import.meta.url), 'utf8')
  const users = documented.match(/^ACL SETUSER .*$/gm) ?? []
  expect(users).toHaveLength(2)
  for (const line of users) await redis.client.call('ACL', ...line.split(' ').slice(1))
})

const as = (name: string) => redis.url.replace('redis://', `redis://${name}:change-me@`)

test('an instance', async () => {
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: line => lines.push(line) })
  const bus = use(createRedisBus(new Secret(as('boardsync')), log), given => given.close())
  await until(() => bus.state === 'up')
  const heard: string[] = []
  const names = [syncChannel(board), awarenessChannel(board), acksChannel(board), agentsChannel(board), handoverChannel]
  for (const name of [...names, everyUpdatesChannel]) await bus.subscribe(name, channel => heard.push(channel))
  for (const name of [...names, updatesChannel(board)]) bus.publish(name, new Uint8Array())
  await until(() => heard.length === 6)
  expect(await bus.lease(intakeLease(board), 5_000)).toEqual({})
  await bus.release(intakeLease(board), handoverChannel, 'mark')
  await until(() => heard.length === 7)
  bus.keep('g', 'n', 'v', 5_000)
  await until(async () => (await bus.kept('g'))?.get('n') === 'v')
  bus.forget('g', 'n')
  await until(async () => (await bus.kept('g'))?.size === 0)
  expect(lines).toEqual([])
})

test('a program that publishes changes, and can neither forge what instances say nor read along', async () => {
  const publisher = use(new Client(as('publisher')), given => given.disconnect())
  expect(await publisher.publish(updatesChannel(board), '{}')).toBe(0)
  for (const channel of [
    syncChannel(board),
    awarenessChannel(board),
    acksChannel(board),
    agentsChannel(board),
    handoverChannel,
  ]) {
    await expect(publisher.publish(channel, 'x')).rejects.toThrow('NOPERM')
    await expect(publisher.subscribe(channel)).rejects.toThrow('NOPERM')
  }
  await expect(publisher.set(intakeLease(board), 'x')).rejects.toThrow('NOPERM')
})
