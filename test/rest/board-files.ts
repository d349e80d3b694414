/** Boards as files of tldraw: how they are asked for and sent, and a board with all in it that a file may have. */
import { createTLSchema } from '@tldraw/tlschema'
import { expect } from 'vitest'
import { type PlainRecord, putRecord } from '../../core/doc/record-layout.ts'
import type { Use } from '../kit/releasing.ts'
import { freshBoard, type Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { listed } from './asking.ts'
import { drawnNote, untoldNote } from './drawn.ts'
import { assetUrl, pixel, putPicture } from './pictures.ts'

export interface BoardFile {
  tldrawFileFormatVersion: number
  schema: unknown
  records: PlainRecord[]
}

export const schema = createTLSchema().serialize()
const page: PlainRecord = { id: 'page:page', typeName: 'page', name: 'Page 1', index: 'a1', meta: {} }
export const fileOf = (...records: object[]) => ({ tldrawFileFormatVersion: 1, schema, records: [page, ...records] })
export const idsIn = ({ records }: BoardFile) => records.map(({ id }) => id)

export const download = async (at: Site, board: string): Promise<BoardFile> =>
  (await at.ask('GET', `/v1/boards/${board}/export`)).json()
export const upload = (at: Site, board: string, file: unknown, headers = {}) =>
  at.ask('POST', `/v1/boards/${board}/import`, file, headers)

/** A board with something of every kind, by agents and by a person, beside what tldraw would reject. */
export async function fullBoard(at: Site, use: Use): Promise<string> {
  const board = freshBoard()
  await putPicture(at, board, pixel)
  const items = [
    { id: 'frame', type: 'frame', content: { title: 'Plan' } },
    { id: 'inside', type: 'sticky', parent: 'frame', x: 5, y: 5, content: { text: 'in\nthere' } },
    { id: 'picture', type: 'image', content: { url: assetUrl(board, pixel) } },
    { id: 'shape', type: 'shape', x: 400, content: { kind: 'cloud' } },
    { id: 'arrow', type: 'connector', content: { from: 'inside', to: 'shape' } },
    { id: 'text', type: 'text', content: { text: 'text' } },
    { id: 'document', type: 'document', content: { title: 'Title', text: 'body' } },
  ]
  const operations = items.map(item => ({ action: 'create', item }))
  expect((await at.ask('POST', `/v1/boards/${board}/batch`, { operations })).statusCode).toBe(200)
  const person = use(await at.join(board))
  person.doc.transact(() => {
    putRecord(person.doc, drawnNote('drawn'))
    putRecord(person.doc, { ...drawnNote('invalid'), opacity: 7 })
    putRecord(person.doc, untoldNote('untold'))
    putRecord(person.doc, drawnNote('lost', { parentId: 'shape:invalid' }))
    putRecord(person.doc, drawnNote('own-parent', { parentId: 'shape:own-parent' }))
    putRecord(person.doc, { id: 'elsewhere:1', typeName: 'elsewhere' })
    putRecord(person.doc, { id: 'camera:page:page', typeName: 'camera', x: 0, y: 0, z: 1, meta: {} })
  })
  await until(async () => (await listed(at, board)).some(({ id }) => id === 'drawn'))
  return board
}
