import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ConnectedProvider, Connection } from './connection.ts'
import type { TokenSource } from './credential.ts'

type Close = { code: number; reason: string } | null

/** What a provider shows of itself, and a hand that opens and closes its sockets. */
class FakeProvider {
  params: Record<string, string> = {}
  protocols: string[] = []
  shouldConnect = false
  wsconnected = false
  wsLastMessageReceived = 0
  /** The credential of each connection. */
  readonly opened: (string | undefined)[] = []
  readonly #listeners = new Map<string, ((value: never) => void)[]>()

  on(name: string, listener: (value: never) => void) {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener])
  }

  emit(name: string, value: unknown) {
    for (const listener of this.#listeners.get(name) ?? []) listener(value as never)
  }

  connect() {
    this.shouldConnect = true
    this.wsconnected = true
    this.opened.push(this.protocols[1]?.replace('bearer.', '') ?? this.params.token)
  }

  disconnect() {
    this.close(null)
  }

  close(event: Close) {
    this.wsconnected = false
    this.emit('connection-close', event)
  }
}

const windowEvents = new EventTarget()
let connections: Connection[] = []

async function connect(source: TokenSource, probe = vi.fn()) {
  const provider = new FakeProvider()
  const onClosed = vi.fn()
  let current = source
  const onNetwork = vi.fn()
  const options = { token: () => current, onClosed, probe, onNetwork }
  const connection = new Connection(provider as unknown as ConnectedProvider, options)
  connections.push(connection)
  connection.start()
  await vi.advanceTimersByTimeAsync(0)
  return {
    provider,
    onClosed,
    probe,
    onNetwork,
    connection,
    give: (next: TokenSource) => {
      current = next
    },
  }
}

/** Longer than any pause before another try. */
const aWhile = 10_000

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('addEventListener', windowEvents.addEventListener.bind(windowEvents))
  vi.stubGlobal('removeEventListener', windowEvents.removeEventListener.bind(windowEvents))
})
afterEach(() => {
  for (const connection of connections) connection.stop()
  connections = []
  vi.unstubAllGlobals()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const jwt = (expiresInMs: number, { issuedInMs }: { issuedInMs?: number } = {}) => {
  const at = (inMs: number) => (Date.now() + inMs) / 1000
  const payload = { exp: at(expiresInMs), ...(issuedInMs !== undefined && { iat: at(issuedInMs) }) }
  return `head.${btoa(JSON.stringify(payload)).replaceAll('=', '')}.sign`
}

describe('the credential', () => {
  it('is asked for before each connection', async () => {
    let count = 0
    const { provider } = await connect(async () => `token-${++count}`)
    provider.close({ code: 1006, reason: '' })
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(provider.opened).toEqual(['token-1', 'token-2'])
  })

  it('is the newest one given, also where it is a text', async () => {
    const { provider, give } = await connect('one')
    give('two')
    provider.close({ code: 1012, reason: '' })
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(provider.opened).toEqual(['one', 'two'])
  })

  it('is asked for again when none could be had', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const source = vi.fn().mockRejectedValueOnce(new Error('the login is down')).mockResolvedValue('late')
    const { provider } = await connect(source)
    expect(provider.opened).toEqual([])
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(provider.opened).toEqual(['late'])
  })

  it('is renewed before it expires, on a new socket', async () => {
    const { provider } = await connect(() => jwt(600_000))
    const first = provider.opened[0]
    await vi.advanceTimersByTimeAsync(560_000)
    expect(provider.opened).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(provider.opened).toHaveLength(2)
    expect(provider.opened[1]).not.toBe(first)
  })

  it('that is short-lived is renewed in its second half, also where this clock is ahead of the issuer’s', async () => {
    const { provider } = await connect(() => jwt(10_000, { issuedInMs: -50_000 }))
    await vi.advanceTimersByTimeAsync(29_000)
    expect(provider.opened).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(provider.opened).toHaveLength(2)
  })

  it('that was kept for a while is renewed in time, though its time began earlier', async () => {
    const { provider } = await connect(() => jwt(360_000, { issuedInMs: -240_000 }))
    await vi.advanceTimersByTimeAsync(320_000)
    expect(provider.opened).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(provider.opened).toHaveLength(2)
  })

  it('that was kept for long is renewed in time, once a fresh one has shown that the clock is right', async () => {
    const tokens = [jwt(60_000, { issuedInMs: 0 })]
    const { provider } = await connect(() => tokens.shift() ?? jwt(22_000, { issuedInMs: -38_000 }))
    await vi.advanceTimersByTimeAsync(31_000)
    expect(provider.opened).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(12_000)
    expect(provider.opened).toHaveLength(3)
  })

  it('that is short-lived is renewed before it expires, also where this clock is behind', async () => {
    const { provider } = await connect(() => jwt(160_000, { issuedInMs: 100_000 }))
    await vi.advanceTimersByTimeAsync(50_000)
    expect(provider.opened).toHaveLength(2)
  })

  it('that seems nearly over is used for a while all the same', async () => {
    const { provider } = await connect(() => jwt(2_000))
    await vi.advanceTimersByTimeAsync(9_000)
    expect(provider.opened).toHaveLength(1)
  })

  it('is not renewed where there is nobody to ask', async () => {
    const { provider } = await connect(jwt(60_000))
    await vi.advanceTimersByTimeAsync(59_000)
    expect(provider.opened).toHaveLength(1)
  })

  it('that is refused is asked for once more', async () => {
    const source = vi.fn().mockResolvedValueOnce('old').mockResolvedValue('new')
    const { provider, onClosed } = await connect(source)
    provider.close({ code: 4401, reason: 'expired' })
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(provider.opened).toEqual(['old', 'new'])
    expect(source).toHaveBeenCalledTimes(2)
    provider.close({ code: 4401, reason: 'wrong' })
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(provider.opened).toHaveLength(2)
    expect(onClosed).toHaveBeenCalledWith({ code: 4401, reason: 'wrong' })
  })

  it('that is refused is asked for once more, also where every one is new', async () => {
    let count = 0
    const { provider, onClosed } = await connect(() => `token-${++count}`)
    provider.close({ code: 4401, reason: 'expired' })
    await vi.advanceTimersByTimeAsync(aWhile)
    provider.close({ code: 1006, reason: '' })
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(onClosed).not.toHaveBeenCalled()
    provider.close({ code: 4401, reason: 'wrong' })
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(provider.opened).toHaveLength(3)
    expect(onClosed).toHaveBeenCalledExactlyOnceWith({ code: 4401, reason: 'wrong' })
  })

  it('that was good for a while may be refused again', async () => {
    let count = 0
    const { provider, onClosed } = await connect(() => `token-${++count}`)
    for (let i = 0; i < 3; i++) {
      provider.close({ code: 4401, reason: 'expired' })
      await vi.advanceTimersByTimeAsync(aWhile)
      provider.emit('sync', true)
    }
    expect(provider.opened).toHaveLength(4)
    expect(onClosed).not.toHaveBeenCalled()
  })

  it('that is refused while no other can be had is asked for until one can', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const down = new Error('the login is down')
    const source = vi.fn().mockResolvedValueOnce('old').mockRejectedValueOnce(down).mockRejectedValueOnce(down)
    source.mockResolvedValue('new')
    const { provider, onClosed } = await connect(source)
    provider.close({ code: 4401, reason: 'expired' })
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(provider.opened).toEqual(['old', 'new'])
    expect(onClosed).not.toHaveBeenCalled()
  })
})

describe('a connection that is lost', () => {
  it('is opened again until it is there, after pauses that grow', async () => {
    const { provider } = await connect(undefined)
    for (let i = 0; i < 8; i++) {
      provider.close({ code: 1006, reason: '' })
      await vi.advanceTimersByTimeAsync(aWhile)
    }
    expect(provider.opened).toHaveLength(9)
    provider.close({ code: 1006, reason: '' })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(provider.opened).toHaveLength(9)
  })

  it('is opened again soon, when it had been in use', async () => {
    const { provider } = await connect(undefined)
    for (let i = 0; i < 8; i++) {
      provider.close({ code: 1006, reason: '' })
      await vi.advanceTimersByTimeAsync(aWhile)
    }
    provider.emit('sync', true)
    provider.close({ code: 1012, reason: '' })
    await vi.advanceTimersByTimeAsync(200)
    expect(provider.opened).toHaveLength(10)
  })

  it('is opened at once when the browser has its network back', async () => {
    const { provider } = await connect(undefined)
    for (let i = 0; i < 8; i++) {
      provider.close({ code: 1006, reason: '' })
      if (i < 7) await vi.advanceTimersByTimeAsync(aWhile)
    }
    windowEvents.dispatchEvent(new Event('online'))
    await vi.advanceTimersByTimeAsync(0)
    expect(provider.opened).toHaveLength(9)
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(provider.opened).toHaveLength(9)
  })

  it.each([1009, 4400, 4401, 4403, 4404, 4413])('is not opened again after %i', async code => {
    const { provider, onClosed } = await connect('key')
    provider.close({ code, reason: 'why' })
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(provider.opened).toHaveLength(1)
    expect(provider.shouldConnect).toBe(false)
    expect(onClosed).toHaveBeenCalledExactlyOnceWith({ code, reason: 'why' })
  })

  it.each([null, { code: 1006, reason: '' }, { code: 4403, reason: '' }])(
    'nor after it was stopped: %j',
    async event => {
      const { provider, connection, onClosed } = await connect('key')
      connection.stop()
      provider.close(event)
      await vi.advanceTimersByTimeAsync(aWhile)
      expect(provider.opened).toHaveLength(1)
      expect(onClosed).not.toHaveBeenCalled()
    },
  )

  it('nor is a credential asked for then', async () => {
    const source = vi.fn().mockResolvedValue('key')
    const { provider, connection } = await connect(source)
    provider.close({ code: 1006, reason: '' })
    connection.stop()
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(source).toHaveBeenCalledTimes(1)
  })
})

describe('when the browser loses its network', () => {
  it('a socket that still answers is kept', async () => {
    const { provider, probe } = await connect('key')
    probe.mockImplementation(() => {
      provider.wsLastMessageReceived = Date.now() + 1
    })
    windowEvents.dispatchEvent(new Event('offline'))
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(provider.opened).toHaveLength(1)
  })

  it('one that does not is given up', async () => {
    const { provider } = await connect('key')
    windowEvents.dispatchEvent(new Event('offline'))
    await vi.advanceTimersByTimeAsync(aWhile)
    expect(provider.opened).toHaveLength(2)
  })

  it('a socket is in doubt at once, until it answers, is closed, or the network is back', async () => {
    const { provider, connection, onNetwork } = await connect('key')
    const lose = () => {
      windowEvents.dispatchEvent(new Event('offline'))
      expect(connection.isInDoubt).toBe(true)
    }
    expect(connection.isInDoubt).toBe(false)
    onNetwork.mockImplementationOnce(() => expect(connection.isInDoubt).toBe(true))
    lose()
    expect(onNetwork).toHaveBeenCalledTimes(1)
    provider.wsLastMessageReceived++
    expect(connection.isInDoubt).toBe(false)

    lose()
    provider.close({ code: 1006, reason: '' })
    expect(connection.isInDoubt).toBe(false)
    windowEvents.dispatchEvent(new Event('online'))
    await vi.advanceTimersByTimeAsync(0)

    lose()
    onNetwork.mockImplementationOnce(() => expect(connection.isInDoubt).toBe(false))
    windowEvents.dispatchEvent(new Event('online'))
    expect(connection.isInDoubt).toBe(false)
  })
})
