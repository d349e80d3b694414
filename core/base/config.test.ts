import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { readConfig, weaknesses } from './config.ts'
import { ConfigurationError } from './errors.ts'

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults
    throw error
  }
  return []
}

const namesOf = (faults: readonly string[]) => faults.map(fault => fault.split(':')[0])
const key = 'a-key-of-at-least-16'

describe('settings', () => {
  test('have the defaults of the contract', () => {
    const MiB = 1024 * 1024
    expect(readConfig({})).toEqual({
      ROLE: 'all',
      PORT: 8080,
      HOST: '127.0.0.1',
      DATA_DIR: './data',
      ALLOWED_ORIGINS: [],
      SNAPSHOT_DEBOUNCE_MS: 2_000,
      SNAPSHOT_MAX_WAIT_MS: 30_000,
      ROOM_IDLE_MS: 30_000,
      HISTORY_DAYS: 30,
      MAX_FRAME_BYTES: 16 * MiB,
      MAX_BOARD_BYTES: 64 * MiB,
      MAX_PEERS_PER_BOARD: 1_000,
      MAX_CONNECTIONS: 20_000,
      TRUST_PROXY: 0,
      RATE_WS_DOC: { perSecond: 200, burst: 2_000 },
      RATE_WS_AWARENESS: { perSecond: 60, burst: 60 },
      RATE_REST: { perSecond: 100, burst: 1_000 },
      PENDING_BYTES_BOARD: 8 * MiB,
      PENDING_BYTES_TOTAL: 256 * MiB,
      LOG_LEVEL: 'info',
      open: true,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    })
  })

  test('that are empty count as not set', () => {
    expect(readConfig({ PORT: '', ADMIN_KEY: '', DATABASE_URL: '', REDIS_URL: '' })).toEqual(readConfig({}))
  })

  test('are read as what they mean', () => {
    const config = readConfig({
      ROLE: 'ws',
      PORT: '0',
      ADMIN_KEY: key,
      HOST: '0.0.0.0',
      DATABASE_URL: 'postgresql://u:p@db/boardsync?sslmode=require',
      ALLOWED_ORIGINS: ' https://a.example, http://localhost:5173 ,',
      HISTORY_DAYS: '7',
    })
    expect(config).toMatchObject({ ROLE: 'ws', PORT: 0, HOST: '0.0.0.0', HISTORY_DAYS: 7, open: false })
    expect(config.ALLOWED_ORIGINS).toEqual(['https://a.example', 'http://localhost:5173'])
    expect(config.DATABASE_URL?.reveal()).toBe('postgresql://u:p@db/boardsync?sslmode=require')
  })

  test.each(['http://x/path', 'https://x?y=1', 'https://u:secret@x', 'https://x/#there'])(
    'take %s for no PUBLIC_URL: links begin with it',
    PUBLIC_URL => {
      const faults = faultsOf({ PUBLIC_URL })
      expect(namesOf(faults)).toEqual(['PUBLIC_URL'])
      expect(faults.join()).not.toContain('secret')
      expect(faultsOf({ PUBLIC_URL: new URL(PUBLIC_URL).origin })).toEqual([])
    },
  )

  test('that are wrong are all reported at once, by name, also those that contradict each other', () => {
    const faults = faultsOf({
      ROLE: 'sockets',
      PORT: '99999',
      HOST: '0.0.0.0',
      PUBLIC_URL: 'board.example',
      MIGRATION_DATABASE_URL: 'postgres://db/boards',
      ALLOWED_ORIGINS: 'https://a.example/path',
      SNAPSHOT_DEBOUNCE_MS: '5000',
      SNAPSHOT_MAX_WAIT_MS: '1000',
      MAX_FRAME_BYTES: 'many',
      LOG_LEVEL: 'loud',
      REDIS_URL: 'http://bus',
    })
    expect(namesOf(faults).sort()).toEqual([
      'ADMIN_KEY',
      'ALLOWED_ORIGINS',
      'DATABASE_URL',
      'LOG_LEVEL',
      'MAX_FRAME_BYTES',
      'PORT',
      'PUBLIC_URL',
      'REDIS_URL',
      'ROLE',
      'SNAPSHOT_MAX_WAIT_MS',
    ])
    expect(() => readConfig({ PORT: 'x', LOG_LEVEL: 'loud' })).toThrow(/\n {2}- PORT: .*\n {2}- LOG_LEVEL: /)
  })

  test.each(['-1', '1.5', '1e3', '0x10', ' ', '1 000', 'NaN', '9'.repeat(16)])('of numbers do not take %j', text => {
    expect(namesOf(faultsOf({ PORT: text, MAX_CONNECTIONS: text, ROOM_IDLE_MS: text }))).toEqual([
      'PORT',
      'ROOM_IDLE_MS',
      'MAX_CONNECTIONS',
    ])
  })

  test('of snapshots: where only one of the two times is given, the default of the other gives way', () => {
    const times = (given: Record<string, string>) => {
      const { SNAPSHOT_DEBOUNCE_MS, SNAPSHOT_MAX_WAIT_MS } = readConfig(given)
      return [SNAPSHOT_DEBOUNCE_MS, SNAPSHOT_MAX_WAIT_MS]
    }
    expect(times({ SNAPSHOT_MAX_WAIT_MS: '1000' })).toEqual([1_000, 1_000])
    expect(times({ SNAPSHOT_DEBOUNCE_MS: '60000' })).toEqual([60_000, 60_000])
    expect(times({ SNAPSHOT_MAX_WAIT_MS: '5000' })).toEqual([2_000, 5_000])
    expect(times({ SNAPSHOT_DEBOUNCE_MS: '20', SNAPSHOT_MAX_WAIT_MS: '50' })).toEqual([20, 50])
  })

  test('of times stay below what a timer can wait, beyond which it would not wait at all', () => {
    expect(readConfig({ ROOM_IDLE_MS: '2147483647' }).ROOM_IDLE_MS).toBe(2_147_483_647)
    expect(faultsOf({ ROOM_IDLE_MS: '2147483648', HISTORY_DAYS: '36501' })).toHaveLength(2)
  })

  test('of a frame stays below what a WebSocket counts to, beyond which it would be another limit or none', () => {
    expect(readConfig({ MAX_FRAME_BYTES: '2147483647' }).MAX_FRAME_BYTES).toBe(2_147_483_647)
    expect(namesOf(faultsOf({ MAX_FRAME_BYTES: '2147483648' }))).toEqual(['MAX_FRAME_BYTES'])
  })

  test.each(['mysql://db/boards', 'db:5432', 'postgres'])('of a database do not take %s', address => {
    expect(namesOf(faultsOf({ DATABASE_URL: address }))).toEqual(['DATABASE_URL'])
  })

  test.each([
    'redis://bus:6379',
    'rediss://:hunter2@bus.example/1',
    'redis://u:p@[::1]',
    'redis://:a,b@bus',
    'redis://one:7000,redis://two:7000, redis://[::1]:7000',
  ])('of Redis take %s', REDIS_URL => {
    expect(readConfig({ REDIS_URL }).REDIS_URL?.reveal()).toBe(REDIS_URL)
  })

  test.each([
    'bus:6379',
    'http://bus',
    'postgres://bus',
    'redis',
    'redis://',
    'redis://one,two',
    'redis://one:7000,two:7000',
    'redis://one,redis://two:x',
  ])('of Redis do not take %s', REDIS_URL => {
    expect(faultsOf({ REDIS_URL })).toEqual([
      'REDIS_URL: must be a redis:// or rediss:// address, or several of one Cluster, separated by commas',
    ])
  })

  test.each([
    ['5/s burst 20', { perSecond: 5, burst: 20 }],
    ['5/20', { perSecond: 5, burst: 20 }],
    ['5/s', { perSecond: 5, burst: 50 }],
    ['5', { perSecond: 5, burst: 50 }],
  ])('of rates take %s', (RATE_REST, rate) => {
    expect(readConfig({ RATE_REST }).RATE_REST).toEqual(rate)
  })

  test.each(['0', '-1', '1.5', '5/m', '5/0', '5 burst', '5/s burst', 'off', '5/s/', '1000000'])(
    'of rates do not take %s',
    text => {
      expect(faultsOf({ RATE_REST: text, RATE_WS_DOC: text, RATE_WS_AWARENESS: text })).toEqual([
        'RATE_WS_DOC: must look like 200/s burst 2000',
        'RATE_WS_AWARENESS: must look like 60/s burst 60',
        'RATE_REST: must look like 100/s burst 1000',
      ])
    },
  )

  test('of connections per address or subject are a number or off', () => {
    const { MAX_CONNECTIONS_PER_IP: address, MAX_CONNECTIONS_PER_SUBJECT: subject } = readConfig({
      MAX_CONNECTIONS_PER_IP: '20',
      MAX_CONNECTIONS_PER_SUBJECT: 'off',
    })
    expect([address, subject]).toEqual([20, undefined])
    for (const text of ['0', '-1', 'none', '1.5']) {
      expect(namesOf(faultsOf({ MAX_CONNECTIONS_PER_IP: text, TRUST_PROXY: 'yes' }))).toEqual([
        'MAX_CONNECTIONS_PER_IP',
        'TRUST_PROXY',
      ])
    }
  })

  test.each(['https://a.example/', '*', 'null', 'a.example', 'https://A.example', 'https://a.example:443'])(
    'of origins do not take %s, which no browser sends',
    origin => {
      expect(namesOf(faultsOf({ ALLOWED_ORIGINS: `https://b.example,${origin}` }))).toEqual(['ALLOWED_ORIGINS'])
    },
  )
})

describe('a server without a key', () => {
  test.each(['127.0.0.1', '127.5.5.5', 'localhost', '::1'])('may listen on %s', HOST => {
    expect(readConfig({ HOST }).open).toBe(true)
  })

  test.each(['0.0.0.0', '::', '192.168.1.5', '127.0.0.1.evil.example', 'localhost.evil.example'])(
    'does not start on %s, and says which setting is missing',
    HOST => {
      expect(faultsOf({ HOST })).toEqual([expect.stringMatching(/^ADMIN_KEY: must be set/)])
      expect(readConfig({ HOST, ADMIN_KEY: key }).open).toBe(false)
    },
  )

  test.each([{ JWT_SECRET: 's'.repeat(32) }, { JWT_JWKS_URL: 'https://id.example/keys' }])(
    'is not one that takes tokens: %o',
    settings => {
      expect(readConfig({ HOST: '0.0.0.0', ...settings })).toMatchObject({ open: false })
    },
  )

  test('is not what a short key makes', () => {
    expect(readConfig({ HOST: '0.0.0.0', ADMIN_KEY: 'short' }).open).toBe(false)
  })
})

describe('what only uses the storage', () => {
  test('needs no key wherever it runs, and hears of every other fault', () => {
    const HOST = '0.0.0.0'
    expect(readConfig({ HOST }, { listens: false })).toMatchObject({ HOST })
    expect(() => readConfig({ HOST, PORT: 'x' }, { listens: false })).toThrow(/ {2}- PORT: [^\n]*$/)
  })
})

describe('a key', () => {
  test.each([' ', 'key\n', ' key', 'two\nlines', 'schlüssel'])('that no header carries is a fault: %j', ADMIN_KEY => {
    expect(faultsOf({ ADMIN_KEY })).toEqual([expect.stringMatching(/^ADMIN_KEY: must be printable ASCII/)])
  })

  test.each(['ADMIN_KEY', 'JWT_SECRET'] as const)('that is the comment of an env file is none: %s', name => {
    const comment = '# 32 bytes or more (fewer: a warning): what everybody can read'
    expect(faultsOf({ [name]: comment })).toEqual([expect.stringMatching(`^${name}: must not begin like a comment`)])
    const given = '#has two words, and is long enough'
    expect(readConfig({ [name]: given })[name]?.equals(given)).toBe(true)
  })
})

describe('settings of tokens', () => {
  test('that make no sense are faults', () => {
    const JWT_SECRET = 's'.repeat(32)
    const JWT_JWKS_URL = 'https://id.example/keys'
    expect(namesOf(faultsOf({ JWT_JWKS_URL: 'file:///keys' }))).toEqual(['JWT_JWKS_URL'])
    expect(namesOf(faultsOf({ JWT_SECRET, JWT_JWKS_URL }))).toEqual(['JWT_SECRET'])
    expect(namesOf(faultsOf({ JWT_ISSUER: 'i', JWT_AUDIENCE: 'a' }))).toEqual(['JWT_ISSUER', 'JWT_AUDIENCE'])
    expect(readConfig({ JWT_SECRET, JWT_ISSUER: 'i', JWT_AUDIENCE: 'a' })).toMatchObject({
      JWT_ISSUER: 'i',
      JWT_AUDIENCE: 'a',
    })
  })
})

describe('a secret shorter than is advised', () => {
  const warningsOf = (settings: Record<string, string>) => weaknesses(readConfig(settings))

  test('is taken, and warned of by name and length, never by value', () => {
    const given = { ADMIN_KEY: 'hunter2', JWT_SECRET: 'é'.repeat(15) }
    expect(readConfig(given).ADMIN_KEY?.equals('hunter2')).toBe(true)
    const warnings = warningsOf(given)
    expect(warnings).toEqual([
      expect.stringMatching(/^ADMIN_KEY: .*at least 16 bytes/),
      expect.stringMatching(/^JWT_SECRET: .*at least 32 bytes/),
    ])
    for (const warning of warnings) expect(warning).not.toMatch(/hunter2|é/)
  })

  test('is none that is long enough, or not set', () => {
    expect(warningsOf({ ADMIN_KEY: 'k'.repeat(16), JWT_SECRET: 'é'.repeat(16) })).toEqual([])
    expect(warningsOf({ ADMIN_KEY: '', JWT_SECRET: '' })).toEqual([])
  })
})

describe('the embedded database', () => {
  test.each(['ws', 'api'])('does not serve ROLE=%s', ROLE => {
    expect(namesOf(faultsOf({ ROLE }))).toEqual(['DATABASE_URL'])
    expect(faultsOf({ ROLE, DATABASE_URL: 'postgres://db/boards' })).toEqual([])
  })
})

describe('a secret', () => {
  const secrets = {
    ADMIN_KEY: key,
    JWT_SECRET: `hunter2-${key}-hunter2`,
    DATABASE_URL: 'postgres://u:hunter2@db/boards',
    REDIS_URL: 'redis://:hunter2@bus',
  }

  test('is printed nowhere', () => {
    const config = readConfig({ ...secrets, MIGRATION_DATABASE_URL: secrets.DATABASE_URL })
    const printed = [
      inspect(config, { depth: 9, showHidden: true }),
      JSON.stringify(config),
      `${config.ADMIN_KEY} ${config.DATABASE_URL} ${config.REDIS_URL}`,
      String(config.MIGRATION_DATABASE_URL) + config.ADMIN_KEY + config.JWT_SECRET,
      JSON.stringify({ ...config.ADMIN_KEY }),
    ]
    for (const text of printed) {
      expect(text).not.toContain(key)
      expect(text).not.toContain('hunter2')
    }
    expect(printed[0]).toContain('[redacted]')
  })

  test('that is wrong is not printed either', () => {
    const message = String(
      faultsOf({ ADMIN_KEY: 'hunter2', DATABASE_URL: 'mysql://u:hunter2@db', REDIS_URL: 'bus:hunter2' }),
    )
    expect(message).toContain('DATABASE_URL')
    expect(message).not.toContain('hunter2')
  })

  test('equals itself and nothing else', () => {
    const { ADMIN_KEY } = readConfig({ ADMIN_KEY: key })
    expect(ADMIN_KEY?.equals(key)).toBe(true)
    for (const other of ['', `${key}x`, key.slice(1), key.toUpperCase()]) expect(ADMIN_KEY?.equals(other)).toBe(false)
  })
})
