// Hocuspocus at its defaults; with DATABASE_URL it stores to Postgres through its database extension (debounced, as by default).
import { Database } from '@hocuspocus/extension-database'
import { Server } from '@hocuspocus/server'
import pg from 'pg'

const server = new Server({
  port: 0,
  address: '127.0.0.1',
  quiet: true,
  websocketOptions: { maxPayload: 2 ** 28 },
  extensions: process.env.DATABASE_URL ? [await postgres(process.env.DATABASE_URL)] : [],
})
await server.listen()
console.log(`listening on ${server.address.port}`)

async function postgres(connectionString) {
  const pool = new pg.Pool({ connectionString })
  await pool.query('CREATE TABLE IF NOT EXISTS documents (name text PRIMARY KEY, data bytea NOT NULL)')
  return new Database({
    async fetch({ documentName }) {
      const { rows } = await pool.query('SELECT data FROM documents WHERE name = $1', [documentName])
      return rows[0]?.data ?? null
    },
    async store({ documentName, state }) {
      await pool.query(
        'INSERT INTO documents (name, data) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET data = excluded.data',
        [documentName, state],
      )
    },
  })
}
