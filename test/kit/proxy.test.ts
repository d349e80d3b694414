import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { startProxy } from './proxy.ts'
import { releasing } from './releasing.ts'
import { until } from './until.ts'

const use = releasing()

/** A server that says back what it hears, behind a proxy. */
async function site() {
  const heard: string[] = []
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', bytes => {
      heard.push(String(bytes))
      socket.write(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  use(server, given => given.close())
  const proxy = use(await startProxy({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }))
  const dial = () => {
    const socket = use(connect(proxy.port, '127.0.0.1'), given => given.destroy())
    const received: string[] = []
    const errors: string[] = []
    socket.on('data', bytes => received.push(String(bytes)))
    socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''))
    return { socket, received, errors }
  }
  return { proxy, heard, dial }
}

const ended = (socket: Socket) => until(() => socket.destroyed)

describe('the proxy', () => {
  test('passes bytes both ways, and stands in for the server in its url', async () => {
    const { proxy, dial } = await site()
    const { socket, received } = dial()
    socket.write('hello')
    await until(() => received.join('') === 'hello')
    expect(proxy.through('postgres://me@db.example:5432/boards')).toBe(`postgres://me@127.0.0.1:${proxy.port}/boards`)
  })

  test('delays what passes, in order', async () => {
    const { proxy, heard, dial } = await site()
    proxy.delay(60)
    const { socket, received } = dial()
    const sent = performance.now()
    socket.write('one ')
    await until(() => heard.length > 0)
    expect(performance.now() - sent).toBeGreaterThan(50)
    socket.write('two')
    await until(() => received.join('') === 'one two')
  })

  test('cuts connections by a reset and takes new ones', async () => {
    const { proxy, dial } = await site()
    const one = dial()
    one.socket.write('hello')
    await until(() => one.received.length > 0)
    proxy.cut()
    await ended(one.socket)
    expect(one.errors).toEqual(['ECONNRESET'])
    const other = dial()
    other.socket.write('again')
    await until(() => other.received.join('') === 'again')
  })

  test('stalls connections, new ones too, and lets go what it held', async () => {
    const { proxy, heard, dial } = await site()
    const one = dial()
    one.socket.write('1')
    await until(() => one.received.length === 1)
    let passing = 0
    proxy.watch(() => passing++)
    proxy.stall()
    one.socket.write('2')
    const other = dial()
    other.socket.write('3')
    await until(() => passing === 2)
    expect(heard).toEqual(['1'])
    proxy.resume()
    await until(() => one.received.join('') === '12' && other.received.join('') === '3')
  })

  test('refuses connections until it resumes', async () => {
    const { proxy, dial } = await site()
    proxy.refuse()
    await ended(dial().socket)
    proxy.resume()
    const after = dial()
    after.socket.write('hello')
    await until(() => after.received.join('') === 'hello')
  })

  test('cuts before bytes that it watches for have passed', async () => {
    const { proxy, heard, dial } = await site()
    const { socket } = dial()
    proxy.watch(bytes => {
      if (bytes.includes('COMMIT')) proxy.cut()
    })
    socket.write('BEGIN ')
    await until(() => heard.length > 0)
    socket.write('COMMIT')
    await ended(socket)
    expect(heard).toEqual(['BEGIN '])
  })
})
