import { expect, test } from 'vitest'
import { Secret } from '../../core/base/secret.ts'
import { createRedisBus } from '../../core/bus/redis.ts'
import { absentRedis } from '../../test/kit/redis.ts'
import { releasing } from '../../test/kit/releasing.ts'
import { silent } from '../../test/kit/site.ts'
import { until } from '../../test/kit/until.ts'
import { BoardChannel } from './board-channel.ts'

const use = releasing()

test('a channel that opens while Redis is away says when it hears: not before, and once', async () => {
  const redis = use(await absentRedis())
  const bus = use(createRedisBus(new Secret(redis.url), silent), given => given.close())
  const late: string[] = []
  const heard: string[] = []
  const open = (name: string) =>
    BoardChannel.open(
      bus,
      name,
      message => heard.push(new TextDecoder().decode(message)),
      () => late.push(name),
      silent,
    )
  const [stays, closed] = [await open('stays'), await open('closed')]
  closed.close()
  expect(late).toEqual([])
  await redis.start()
  await until(() => late.length > 0)
  await redis.client.publish('stays', 'a message')
  await until(() => heard.includes('a message'))
  const later = await open('later')
  expect(late).toEqual(['stays'])
  for (const channel of [stays, later]) channel.close()
})
