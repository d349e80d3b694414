import fastify from 'fastify'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { listen } from '../test/kit/event-client.ts'
import { releasing } from '../test/kit/releasing.ts'
import { until } from '../test/kit/until.ts'
import { EventStream } from './event-stream.ts'

const use = releasing()
const MiB = 1024 * 1024
const streams: EventStream[] = []
afterEach(() => {
  for (const stream of streams.splice(0)) stream.destroy()
  vi.useRealTimers()
})

function newStream(): EventStream {
  const stream = new EventStream()
  streams.push(stream)
  return stream
}

const frame = (n: number, bytes = 10) => Buffer.from(`event: e\nid: ${n}\ndata: {"n":"${'x'.repeat(bytes)}"}\n\n`)

/** Answers with this stream. @returns the address */
async function serve(stream: EventStream): Promise<string> {
  const app = use(fastify(), given => given.close())
  app.get('/', (_request, reply) => reply.type('text/event-stream').send(stream))
  return app.listen({ port: 0, host: '127.0.0.1' })
}

describe('a stream that is not read', () => {
  test('keeps a bounded amount, and is cut', () => {
    for (const whilePast of [false, true]) {
      const stream = newStream()
      if (whilePast) stream.holdBack()
      let told = 0
      while (!stream.destroyed && told < 100) stream.tell(frame(told++, MiB))
      expect(told).toBe(5)
      stream.tell(frame(1))
      stream.toldPast()
    }
  })

  test('cuts the connection; its client gets what was sent whole', async () => {
    const stream = newStream()
    stream.tell(frame(0))
    const client = use(await listen(await serve(stream)))
    await client.heard(1)
    client.pause()
    for (let n = 1; n < 200 && !stream.destroyed; n++) {
      stream.tell(frame(n, MiB))
      await new Promise(setImmediate)
    }
    expect(stream.destroyed).toBe(true)
    client.resume()
    await until(() => client.ended === 'cut')
    expect(client.events.map(({ id }) => Number(id))).toEqual(client.events.map((_, n) => n))
  })

  test('holds up who tells it the past, until it is read or gone', async () => {
    const stream = newStream()
    let told = 0
    const telling = (async () => {
      while (await stream.tellPast(frame(told, MiB))) told++
    })()
    await until(() => told === 0)
    stream.read()
    await until(() => told > 0)
    expect(stream.readableLength).toBeLessThan(3 * MiB)
    stream.destroy()
    await telling
  })
})

describe('a stream', () => {
  test('tells what happens only after the past', async () => {
    const stream = newStream()
    stream.holdBack()
    stream.tell(frame(2))
    await stream.tellPast(frame(1))
    stream.toldPast()
    stream.finish()
    stream.tell(frame(3))
    const all = Buffer.concat(await stream.toArray()).toString()
    expect([...all.matchAll(/id: (\d)/g)].map(([, n]) => n)).toEqual(['1', '2'])
  })

  test('says every 15 s that it is there, until it ends', () => {
    vi.useFakeTimers()
    const stream = newStream()
    vi.advanceTimersByTime(31_000)
    expect(stream.read()?.toString()).toBe(':\n\n:\n\n')
    stream.finish()
    vi.advanceTimersByTime(60_000)
    expect(stream.read()).toBeNull()
    expect(vi.getTimerCount()).toBe(0)
  })
})
