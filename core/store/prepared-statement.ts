/**
 * One run of a prepared statement through `pg`, which takes whatever can submit itself (so do `pg-cursor` and
 * `pg-query-stream`). Commits run thirty times a second: unlike `pg`'s own `Query` this has the columns described once per
 * connection, emits no event per row, and lets go of what it wrote and read.
 */
import type pg from 'pg'
import { type EncodedParameter, encodeParameter } from './parameter-encoding.ts'

/** Of `pg`'s `Connection` (lib/connection.js), which has no types of its own. */
interface Connection {
  readonly stream: { cork(): void; uncork(): void }
  /** Texts of the statements that are prepared on it, by their names. */
  readonly parsedStatements: Readonly<Record<string, string | undefined>>
  parse(statement: { name: string; text: string }): void
  bind(portal: { statement: string; values: readonly EncodedParameter[] }): void
  describe(what: { type: 'P' }): void
  execute(): void
  sync(): void
}

interface Column {
  name: string
  read: (text: string) => unknown
}

interface Field {
  name: string
  dataTypeID: number
}

/** By connection and statement. They stay as they are while it is prepared: should they change, the server refuses it. */
const described = new WeakMap<Connection, Map<string, Column[]>>()

export class PreparedStatement<R> implements pg.Submittable {
  // `pg` reads these; the callback is its own.
  readonly name: string
  readonly text: string
  callback: ((error: Error | undefined, rows?: R[]) => void) | undefined
  readonly #types: pg.CustomTypesConfig
  #parameters: readonly EncodedParameter[]
  /** Those of its connection. */
  #described = new Map<string, Column[]>()
  #rows: R[] = []
  #failure: Error | undefined

  /**
   * @param name of this text alone
   * @throws TypeError for a parameter that has no encoding
   */
  constructor(name: string, text: string, parameters: readonly unknown[], types: pg.CustomTypesConfig) {
    this.name = name
    this.text = text
    this.#types = types
    this.#parameters = parameters.map(encodeParameter)
  }

  /** @throws what `pg` throws */
  run(pool: pg.Pool): Promise<R[]> {
    // As any query of a pool: its promise has what the callback is given. Only its types tell otherwise.
    return pool.query(this as pg.Submittable) as unknown as Promise<R[]>
  }

  submit(to: pg.Connection): void {
    const connection = to as unknown as Connection
    const { name, text } = this
    connection.stream.cork()
    if (connection.parsedStatements[name] === undefined) connection.parse({ name, text })
    connection.bind({ statement: name, values: this.#parameters })
    this.#described = described.get(connection) ?? this.#described
    described.set(connection, this.#described)
    if (!this.#described.has(name)) connection.describe({ type: 'P' })
    connection.execute()
    connection.sync()
    connection.stream.uncork()
    this.#parameters = []
  }

  handleRowDescription({ fields }: { fields: readonly Field[] }): void {
    const columns = fields.map(({ name, dataTypeID }) => ({
      name,
      read: this.#types.getTypeParser(dataTypeID, 'text') as Column['read'],
    }))
    this.#described.set(this.name, columns)
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    const row: Record<string, unknown> = {}
    const columns = this.#described.get(this.name) ?? []
    try {
      for (let index = 0; index < columns.length; index++) {
        const { name, read } = columns[index] as Column
        const field = fields[index] ?? null
        row[name] = field === null ? null : read(field)
      }
      this.#rows.push(row as R)
    } catch (error) {
      this.#failure ??= error as Error
    }
  }

  handleError(error: Error): void {
    this.#answer(error)
  }

  handleReadyForQuery(): void {
    this.#answer(this.#failure, this.#rows)
  }

  #answer(error: Error | undefined, rows?: R[]): void {
    const { callback } = this
    this.callback = undefined
    this.#rows = []
    callback?.(error, rows)
  }

  // What else `pg` may tell needs nothing done: `sync` was sent along.
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}
