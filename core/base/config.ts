/** The only place that reads `process.env`: settings in, a checked `Config` out, every fault reported at once by name. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigurationError } from './errors.ts'
import { Secret } from './secret.ts'

const MiB = 1024 * 1024

/** Settings of the contract that this version cannot honour yet: set, they are a fault rather than a silent no-op. */
const notYetHonoured = [
  'REDIS_URL',
  'JWT_SECRET',
  'JWT_JWKS_URL',
  'JWT_ISSUER',
  'JWT_AUDIENCE',
  'TRUST_PROXY',
  'MAX_CONNECTIONS_PER_IP',
  'RATE_WS_DOC',
  'RATE_WS_AWARENESS',
  'RATE_REST',
] as const

const count = (fallback: number) => z.coerce.number('must be a whole number').int().min(1).default(fallback)
const milliseconds = (fallback: number) => z.coerce.number('must be milliseconds').int().min(0).default(fallback)
const postgresUrl = z
  .string()
  .refine(isPostgresUrl, 'must be a postgres:// address')
  .transform(value => new Secret(value))

const settings = z.object({
  ROLE: z.enum(['all', 'ws', 'api']).default('all'),
  PORT: z.coerce.number('must be a port number, 0 for any free one').int().min(0).max(65_535).default(8080),
  HOST: z.string().default('127.0.0.1'),
  PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).optional(),
  DATABASE_URL: postgresUrl.optional(),
  MIGRATION_DATABASE_URL: postgresUrl.optional(),
  DATA_DIR: z.string().default('./data'),
  ADMIN_KEY: z
    .string()
    .min(16, 'must have at least 16 characters')
    .transform(value => new Secret(value))
    .optional(),
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
  HISTORY_DAYS: count(30),
  MAX_FRAME_BYTES: count(16 * MiB),
  MAX_BOARD_BYTES: count(64 * MiB),
  MAX_PEERS_PER_BOARD: count(1_000),
  MAX_CONNECTIONS: count(20_000),
  PENDING_BYTES_BOARD: count(8 * MiB),
  PENDING_BYTES_TOTAL: count(256 * MiB),
  TLDRAW_LICENSE_KEY: z.string().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
})

export interface Config extends z.output<typeof settings> {
  /** Neither `ADMIN_KEY` nor a JWT setting: everybody may do everything, on this machine only. */
  open: boolean
  version: string
}

/** @throws ConfigurationError with every fault, each beginning with the setting's name */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  // An empty value means "not set": that is what `NAME=` in an env file and in a compose file says.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const faults: string[] = []
  for (const name of notYetHonoured) {
    if (given[name] !== undefined) faults.push(`${name}: this version does not support it yet; leave it unset`)
  }
  const parsed = settings.safeParse(given)
  if (!parsed.success) {
    faults.push(...parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`))
    throw new ConfigurationError(faults)
  }
  const config = { ...parsed.data, open: parsed.data.ADMIN_KEY === undefined, version: packageVersion() }
  if (config.open && !isLoopback(config.HOST)) {
    faults.push(
      `ADMIN_KEY: must be set when HOST is ${config.HOST}; without it the server is open and listens on a loopback address only`,
    )
  }
  if (config.ROLE !== 'all' && config.DATABASE_URL === undefined) {
    faults.push(`DATABASE_URL: must be set when ROLE is ${config.ROLE}; the embedded database serves ROLE=all only`)
  }
  if (config.MIGRATION_DATABASE_URL !== undefined && config.DATABASE_URL === undefined) {
    faults.push('DATABASE_URL: must be set when MIGRATION_DATABASE_URL is')
  }
  if (config.SNAPSHOT_MAX_WAIT_MS < config.SNAPSHOT_DEBOUNCE_MS) {
    faults.push('SNAPSHOT_MAX_WAIT_MS: must not be less than SNAPSHOT_DEBOUNCE_MS')
  }
  if (faults.length > 0) throw new ConfigurationError(faults)
  return config
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

function isPostgresUrl(text: string): boolean {
  return URL.canParse(text) && ['postgres:', 'postgresql:'].includes(new URL(text).protocol)
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return z.object({ version: z.string() }).parse(manifest).version
}
