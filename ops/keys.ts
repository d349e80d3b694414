/**
 * `npm run keys`: API keys made, listed and revoked by whoever has the database, for one board or for all. What REST does
 * with `/v1/boards/{board}/keys` needs a key to begin with; this needs none.
 */
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { createToken, hashOfToken } from '../core/auth/token.ts'
import { readConfig } from '../core/base/config.ts'
import { describeError } from '../core/base/describe-error.ts'
import { createLogger } from '../core/base/log.ts'
import { type BoardId, parseBoardId } from '../core/contract/board-id.ts'
import { type Role, roles } from '../core/contract/role.ts'
import type { ApiKey } from '../core/store/api-keys.ts'
import { openStorage, type Storage } from '../core/store/storage.ts'

const usage = `npm run keys -- create --role read|write|admin [--board <id>] [--expires <date>]
npm run keys -- list [--board <id>]
npm run keys -- revoke <key id>

Without --board a key is for every board, and all keys are listed. The database is the one that the settings name; one that
is embedded (DATA_DIR) belongs to the running server: stop it first, or use REST. It is brought to this version's schema first.`

const pageOfKeys = 500

interface Options {
  role?: string | undefined
  board?: string | undefined
  expires?: string | undefined
}

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { role: { type: 'string' }, board: { type: 'string' }, expires: { type: 'string' } },
    allowPositionals: true,
  })
  const work = commandOf(positionals, values)
  const config = readConfig(undefined, { listens: false })
  const storage = await openStorage(config, createLogger(config.LOG_LEVEL === 'info' ? 'warn' : config.LOG_LEVEL))
  try {
    await work(storage)
  } finally {
    await storage.close()
  }
}

/** @throws Error that says what is wrong with the command; nothing was opened then */
function commandOf([command, id, ...rest]: string[], options: Options): (storage: Storage) => Promise<void> {
  const board = options.board === undefined ? undefined : parseBoardId(options.board)
  if (command === 'create' && id === undefined) {
    const [role, expiresAt] = [roleOf(options.role), dateOf(options.expires)]
    return storage => create(storage, board, role, expiresAt)
  }
  if (command === 'list' && id === undefined) return storage => list(storage, board)
  if (command === 'revoke' && id !== undefined && rest.length === 0) return storage => revoke(storage, id)
  throw new Error(`this is not a command:\n\n${usage}`)
}

async function create(storage: Storage, board: BoardId | undefined, role: Role, expiresAt?: Date): Promise<void> {
  if (board !== undefined && (await storage.boards.create(board)).deleted) throw new Error(`${board} was deleted`)
  const token = createToken('key')
  const key = await storage.keys.create({
    id: randomUUID(),
    hash: hashOfToken(token),
    board,
    role,
    expiresAt,
    createdBy: 'npm run keys',
  })
  console.log(`${lineOf(key)}\n\n  ${token.reveal()}\n\nThis is the only time that the key is shown.`)
}

async function list(storage: Storage, board: BoardId | undefined): Promise<void> {
  const scope = board === undefined ? undefined : { board }
  let last: string | undefined
  do {
    const keys: ApiKey[] = await storage.keys.list(scope, pageOfKeys, last)
    for (const key of keys) console.log(lineOf(key))
    last = keys.length === pageOfKeys ? keys.at(-1)?.id : undefined
  } while (last !== undefined)
}

async function revoke(storage: Storage, id: string): Promise<void> {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
  if (!isId || !(await storage.keys.revoke(id, undefined))) throw new Error(`there is no key ${id}`)
  console.log(`revoked ${id}; running servers know within 2 seconds`)
}

function roleOf(text: string | undefined): Role {
  const role = roles.find(name => name === text)
  if (!role) throw new Error(`--role must be one of ${roles.join(', ')}`)
  return role
}

function dateOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const date = new Date(text)
  if (!(date.getTime() > Date.now())) throw new Error('--expires must be a date in the future, like 2027-01-31')
  return date
}

const lineOf = ({ id, board, role, expiresAt, lastUsedAt }: ApiKey): string =>
  [
    id,
    role.padEnd(5),
    board ?? 'every board',
    expiresAt ? `expires ${expiresAt.toISOString()}` : 'never expires',
    lastUsedAt ? `last used ${lastUsedAt.toISOString()}` : 'not used yet',
  ].join('  ')

run().catch((error: unknown) => {
  console.error(`boardsync: ${describeError(error)}`)
  process.exitCode = 1
})
