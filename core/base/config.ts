/** The only place that reads `process.env`: settings in, a checked `Config` out, every fault reported at once by name. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigurationError } from './errors.ts'
import { redisAddresses } from './redis-addresses.ts'
import { Secret } from './secret.ts'
import type { Rate } from './token-bucket.ts'

const MiB = 1024 * 1024

/** The longest that a timer can be set to. */
const longestTimerMs = 2 ** 31 - 1
/** `ws` counts the bytes of a message in 32 bits: a higher limit would be another one, or none. */
const longestFrameBytes = 2 ** 31 - 1

const wholeNumber = (fallback: number, from: number, to: number) =>
  z
    .string()
    .refine(text => /^\d{1,15}$/.test(text) && Number(text) >= from && Number(text) <= to, {
      error:
        to === Number.MAX_SAFE_INTEGER
          ? `must be a whole number, at least ${from}`
          : `must be a whole number from ${from} to ${to}`,
    })
    .transform(Number)
    .default(fallback)
const count = (fallback: number) => wholeNumber(fallback, 1, Number.MAX_SAFE_INTEGER)
/** Default: any number. */
const countOrOff = z
  .string()
  .refine(text => text === 'off' || /^[1-9]\d{0,14}$/.test(text), 'must be a whole number, at least 1, or off')
  .transform(text => (text === 'off' ? undefined : Number(text)))
  .optional()
/** `100/s burst 1000` or `100/1000`; `100/s` or `100`: the burst follows from the rate. */
const rate = (fallback: Rate) => {
  const written = /^([1-9]\d{0,5})(?:\/s)?(?:(?: burst |\/)([1-9]\d{0,8}))?$/
  return z
    .string()
    .refine(text => written.test(text), `must look like ${fallback.perSecond}/s burst ${fallback.burst}`)
    .transform((text): Rate => {
      const [, perSecond, burst] = written.exec(text) ?? []
      const usual = (Number(perSecond) * fallback.burst) / fallback.perSecond
      return { perSecond: Number(perSecond), burst: burst === undefined ? usual : Number(burst) }
    })
    .default(fallback)
}
const milliseconds = (fallback: number) => wholeNumber(fallback, 0, longestTimerMs)
const postgresUrl = z
  .string()
  .refine(isPostgresUrl, 'must be a postgres:// address')
  .transform(value => new Secret(value))
const redisUrl = z
  .string()
  .refine(
    text => redisAddresses(text) !== undefined,
    'must be a redis:// or rediss:// address, or several of one Cluster, separated by commas',
  )
  .transform(value => new Secret(value))

/** Shorter ones are taken, with a warning: people bring secrets along. HMAC with SHA-256 wants one no shorter than its hash (RFC 7518, 3.2). */
const advisedBytes = { ADMIN_KEY: 16, JWT_SECRET: 32 } as const

const noComment = /^(?!#\s)/
const isComment =
  'must not begin like a comment: some programs take the comment behind an empty value in an env file for the value'

const settings = z.object({
  ROLE: z.enum(['all', 'ws', 'api']).default('all'),
  PORT: wholeNumber(8080, 0, 65_535),
  HOST: z.string().default('127.0.0.1'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) address', abort: true })
    .refine(isBareAddress, 'must be like https://boards.example.com: no path, query or credentials')
    .optional(),
  DATABASE_URL: postgresUrl.optional(),
  MIGRATION_DATABASE_URL: postgresUrl.optional(),
  REDIS_URL: redisUrl.optional(),
  DATA_DIR: z.string().default('./data'),
  ADMIN_KEY: z
    .string()
    .regex(
      /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/,
      'must be printable ASCII, no space at its ends: no header carries it else',
    )
    .regex(noComment, isComment)
    .transform(value => new Secret(value))
    .optional(),
  JWT_SECRET: z
    .string()
    .regex(noComment, isComment)
    .transform(value => new Secret(value))
    .optional(),
  JWT_JWKS_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  ALLOWED_ORIGINS: z
    .string()
    .transform(list =>
      list
        .split(',')
        .map(origin => origin.trim())
        .filter(Boolean),
    )
    .refine(list => list.every(isOrigin), 'must be exact origins like https://example.com, separated by commas')
    .default([]),
  SNAPSHOT_DEBOUNCE_MS: milliseconds(2_000),
  SNAPSHOT_MAX_WAIT_MS: milliseconds(30_000),
  ROOM_IDLE_MS: milliseconds(30_000),
  HISTORY_DAYS: wholeNumber(30, 1, 36_500),
  MAX_FRAME_BYTES: wholeNumber(16 * MiB, 1, longestFrameBytes),
  MAX_BOARD_BYTES: count(64 * MiB),
  MAX_PEERS_PER_BOARD: count(1_000),
  MAX_CONNECTIONS: count(20_000),
  MAX_CONNECTIONS_PER_IP: countOrOff,
  MAX_CONNECTIONS_PER_SUBJECT: countOrOff,
  TRUST_PROXY: wholeNumber(0, 0, 32),
  RATE_WS_DOC: rate({ perSecond: 200, burst: 2_000 }),
  RATE_WS_AWARENESS: rate({ perSecond: 60, burst: 60 }),
  RATE_REST: rate({ perSecond: 100, burst: 1_000 }),
  PENDING_BYTES_BOARD: count(8 * MiB),
  PENDING_BYTES_TOTAL: count(256 * MiB),
  TLDRAW_LICENSE_KEY: z.string().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
})

type Settings = z.output<typeof settings>

/** With any of these people have to show who they are. */
const credentialSettings = ['ADMIN_KEY', 'JWT_SECRET', 'JWT_JWKS_URL'] as const

export interface Config extends Settings {
  /** No setting of a credential: everybody may do everything, on this machine only. */
  open: boolean
  version: string
}

/**
 * @param listens false for what only uses the storage: it may be anywhere, whatever HOST says
 * @throws ConfigurationError with every fault, each beginning with the setting's name
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env, { listens = true } = {}): Config {
  // An empty value means "not set": that is what `NAME=` in an env file and in a compose file says.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const faults: string[] = []
  const parsed = settings.safeParse(given)
  const issues = parsed.error?.issues ?? []
  faults.push(...issues.map(issue => `${issue.path.join('.')}: ${issue.message}`))
  // The other settings are still held against each other, with each faulty one at its default.
  const faulty = new Set(issues.map(issue => String(issue.path[0])))
  const sound = settings.parse(Object.fromEntries(Object.entries(given).filter(([name]) => !faulty.has(name))))
  fitSnapshots(sound, name => given[name] !== undefined)
  faults.push(...contradictions(sound, name => given[name] !== undefined, listens))
  if (faults.length > 0) throw new ConfigurationError(faults)
  const open = credentialSettings.every(name => sound[name] === undefined)
  return { ...sound, open, version: packageVersion() }
}

/** What is taken as it is and should be better, each beginning with the setting's name; never with its value. */
export function weaknesses(config: Pick<Config, keyof typeof advisedBytes>): string[] {
  return (['ADMIN_KEY', 'JWT_SECRET'] as const).flatMap(name => {
    const secret = config[name]?.reveal()
    if (secret === undefined || Buffer.byteLength(secret) >= advisedBytes[name]) return []
    return [`${name}: is short enough to be guessed; at least ${advisedBytes[name]} bytes are advised`]
  })
}

/** Where only one of the two is given, the default of the other gives way. */
function fitSnapshots(settings: Settings, isGiven: (name: keyof Settings) => boolean): void {
  const { SNAPSHOT_DEBOUNCE_MS: debounce, SNAPSHOT_MAX_WAIT_MS: maxWait } = settings
  if (!isGiven('SNAPSHOT_MAX_WAIT_MS')) settings.SNAPSHOT_MAX_WAIT_MS = Math.max(debounce, maxWait)
  else if (!isGiven('SNAPSHOT_DEBOUNCE_MS')) settings.SNAPSHOT_DEBOUNCE_MS = Math.min(debounce, maxWait)
}

function contradictions(settings: Settings, isGiven: (name: keyof Settings) => boolean, listens: boolean): string[] {
  const faults: string[] = []
  if (listens && !credentialSettings.some(isGiven) && !isLoopback(settings.HOST)) {
    faults.push(
      `ADMIN_KEY: must be set when HOST is ${settings.HOST}, or else JWT_SECRET or JWT_JWKS_URL; without any of them the server is open and listens on a loopback address only`,
    )
  }
  if (isGiven('JWT_SECRET') && isGiven('JWT_JWKS_URL')) {
    faults.push('JWT_SECRET: must not be set beside JWT_JWKS_URL: tokens are signed by a secret or by published keys')
  }
  for (const name of ['JWT_ISSUER', 'JWT_AUDIENCE'] as const) {
    if (isGiven(name) && !isGiven('JWT_SECRET') && !isGiven('JWT_JWKS_URL')) {
      faults.push(`${name}: is of no use without JWT_SECRET or JWT_JWKS_URL`)
    }
  }
  if (settings.ROLE !== 'all' && !isGiven('DATABASE_URL')) {
    faults.push(`DATABASE_URL: must be set when ROLE is ${settings.ROLE}; the embedded database serves ROLE=all only`)
  }
  if (isGiven('MIGRATION_DATABASE_URL') && !isGiven('DATABASE_URL')) {
    faults.push('DATABASE_URL: must be set when MIGRATION_DATABASE_URL is')
  }
  if (settings.SNAPSHOT_MAX_WAIT_MS < settings.SNAPSHOT_DEBOUNCE_MS) {
    faults.push(
      `SNAPSHOT_MAX_WAIT_MS: must not be less than SNAPSHOT_DEBOUNCE_MS (${settings.SNAPSHOT_MAX_WAIT_MS} is less than ${settings.SNAPSHOT_DEBOUNCE_MS})`,
    )
  }
  return faults
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

function isPostgresUrl(text: string): boolean {
  return URL.canParse(text) && ['postgres:', 'postgresql:'].includes(new URL(text).protocol)
}

function isBareAddress(text: string): boolean {
  const { origin, href } = new URL(text)
  return href === `${origin}/`
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return z.object({ version: z.string() }).parse(manifest).version
}
