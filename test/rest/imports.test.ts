/** What a file of tldraw has in it is on the board whole, or not at all. */
import { createTLSchema } from '@tldraw/tlschema'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { putRecord } from '../../core/doc/record-layout.ts'
import { releasing } from '../kit/releasing.ts'
import { freshBoard, Site } from '../kit/site.ts'
import { until } from '../kit/until.ts'
import { listed, post } from './asking.ts'
import { type BoardFile, download, fileOf, fullBoard, idsIn, schema, upload } from './board-files.ts'
import { drawnNote } from './drawn.ts'
import { assetUrl, pixel } from './pictures.ts'
import { pointersOf, refusalOf } from './refusals.ts'

const useForAll = releasing(afterAll)
const use = releasing()
let site: Site
beforeAll(async () => {
  site = useForAll(await Site.start())
})

describe('an import', () => {
  test('of an export makes the same board, and the same export', async () => {
    const file = await download(site, await fullBoard(site, use))
    const board = freshBoard()
    const answer = await upload(site, board, file)
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { pages: 1, shapes: 8, bindings: 2, assets: 1, renamed: {}, seq: 1 },
    ])
    expect(await download(site, board)).toEqual(file)
    const items = await listed(site, board)
    expect(items.find(({ id }) => id === 'picture')).toMatchObject({ content: { url: assetUrl(board, pixel) } })
    expect(items.find(({ id }) => id === 'arrow')).toMatchObject({ content: { from: 'inside', to: 'shape' } })
  })

  test('takes all that an export has in it, however deep it lies', async () => {
    const nested = (levels: number, within: object, wrap: (inner: object) => object): object =>
      levels === 0 ? within : wrap(nested(levels - 1, within, wrap))
    const listIn = (inner: object) => ({ type: 'bulletList', content: [{ type: 'listItem', content: [inner] }] })
    const paragraph = {
      type: 'paragraph',
      content: [{ type: 'text', text: 'deep', marks: [{ type: 'link', attrs: { href: 'x:' } }] }],
    }
    const noteOf = (id: string, levels: number) => {
      const { props } = drawnNote(id)
      const richText = { type: 'doc', content: [nested(levels, paragraph, listIn)] }
      return drawnNote(id, { props: { ...(props as object), richText } })
    }
    const meta = nested(498, { end: true }, inner => ({ a: inner }))
    const records = [noteOf('six', 6), noteOf('nineteen', 19), drawnNote('meta', { meta })]
    const board = freshBoard()
    await post(site, board)
    const person = use(await site.join(board))
    person.doc.transact(() => {
      for (const record of records) putRecord(person.doc, record)
    })
    const file = await until(async () => {
      const exported = await site.ask('GET', `/v1/boards/${board}/export`)
      return (
        exported.statusCode === 200 && idsIn(exported.json()).includes('shape:six') && (exported.json() as BoardFile)
      )
    })
    expect(idsIn(file)).toEqual(expect.arrayContaining(records.map(({ id }) => id)))
    const other = freshBoard()
    expect((await upload(site, other, file)).statusCode).toBe(200)
    expect(await download(site, other)).toEqual(file)
  })

  test('overwrites nothing: what has a taken id gets a new one, with all that refers to it, above what is there', async () => {
    const board = await fullBoard(site, use)
    const before = await listed(site, board)
    const file = await download(site, board)
    const answer = (await upload(site, board, file)).json()
    expect(answer).toMatchObject({ pages: 0, shapes: 8, bindings: 2 })
    const renamed: Record<string, string> = answer.renamed
    expect(Object.keys(renamed).filter(id => id.startsWith('shape:')).length).toBe(8)
    const after = await listed(site, board)
    expect(after.filter(({ id }) => before.some(old => old.id === id))).toEqual(before)
    const named = (id: string) => renamed[`shape:${id}`]?.replace('shape:', '')
    const copy = (id: string) => after.find(item => item.id === named(id))
    expect(copy('inside')).toMatchObject({ parent: named('frame'), content: { text: 'in\nthere' } })
    expect(copy('arrow')).toMatchObject({ content: { from: named('inside'), to: named('shape') } })
    expect(copy('text')).not.toHaveProperty('record')
    const indexes = (await download(site, board)).records.filter(({ parentId }) => parentId === 'page:page')
    const [old, fresh] = [[], []] as [string[], string[]]
    for (const { id, index } of indexes) (Object.values(renamed).includes(id) ? fresh : old).push(String(index))
    expect(String(fresh.sort()[0]) > String(old.sort().at(-1))).toBe(true)
  })

  test('reads files of older versions, by tldraw’s own migrations', async () => {
    const board = freshBoard()
    const own = createTLSchema()
    const sequences = {
      ...schema.sequences,
      'com.tldraw.shape.note': Number(schema.sequences['com.tldraw.shape.note']) - 1,
    }
    const older = { ...schema, sequences }
    const down = own.migratePersistedRecord(drawnNote('old') as never, older, 'down')
    if (down.type === 'error') throw new Error(down.reason)
    expect(down.value).not.toEqual(drawnNote('old'))
    const answer = await upload(site, board, { ...fileOf(down.value), schema: older })
    expect([answer.statusCode, await listed(site, board)]).toMatchObject([200, [{ id: 'old', type: 'sticky' }]])
  })

  test('leaves out what belongs to a tab', async () => {
    const board = freshBoard()
    const camera = { id: 'camera:page:page', typeName: 'camera', x: 0, y: 0, z: 1, meta: {} }
    expect((await upload(site, board, fileOf(camera, drawnNote('a')))).json()).toMatchObject({ shapes: 1, seq: 1 })
    expect(idsIn(await download(site, board))).toEqual(['document:document', 'page:page', 'shape:a'])
  })

  test('is refused whole where a record is wrong, with a pointer into the file', async () => {
    const board = freshBoard()
    const camera = { id: 'camera:page:page', typeName: 'camera', x: 0, y: 0, z: 1, meta: {} }
    const emptyText = { type: 'doc', content: [{ type: 'paragraph', content: [{ type: 'text', text: '' }] }] }
    const halfAPair = { type: 'doc', content: [{ type: 'paragraph', content: [{ type: 'text', text: '\ud83d' }] }] }
    const textPointer = '/records/3/props/richText/content/0/content/0/text'
    const cases: [object, string][] = [
      [{ ...drawnNote('b'), opacity: 7 }, '/records/3/opacity'],
      [drawnNote('b', { parentId: 'shape:nowhere' }), '/records/3/parentId'],
      [drawnNote('b', { parentId: 'shape:b' }), '/records/3'],
      [drawnNote('b', { props: { ...(drawnNote('b').props as object), richText: emptyText } }), '/records/3'],
      [drawnNote('a'), '/records/3/id'],
      [drawnNote('b', { props: { ...(drawnNote('b').props as object), richText: halfAPair } }), textPointer],
      [drawnNote('b', { meta: { '\ud800': 1 } }), '/records/3/meta'],
      [drawnNote('\udc00'), '/records/3/id'],
      [{ id: 'elsewhere:1', typeName: 'elsewhere' }, '/records/3/typeName'],
    ]
    for (const [record, pointer] of cases) {
      const answer = await upload(site, board, fileOf(camera, drawnNote('a'), record))
      expect([refusalOf(answer), pointersOf(answer)]).toEqual(['422 item-invalid', [pointer]])
    }
    expect((await listed(site, board)) ?? []).toEqual([])
  })

  test('that is refused leaves nothing behind, no picture and no board', async () => {
    const board = freshBoard()
    const src = `data:image/png;base64,${pixel.toString('base64')}`
    const props = { w: 1, h: 1, name: '', isAnimated: false, mimeType: 'image/png', src }
    const picture = { id: 'asset:a', typeName: 'asset', type: 'image', meta: {}, props }
    const answer = await upload(site, board, fileOf(picture, { ...drawnNote('a'), opacity: 7 }))
    expect([refusalOf(answer), pointersOf(answer)]).toEqual(['422 item-invalid', ['/records/2/opacity']])
    const video = {
      ...picture,
      id: 'asset:b',
      props: { ...props, src: `data:video/mp4;base64,${'A'.repeat(400_000)}` },
    }
    const other = await upload(site, board, fileOf(picture, video))
    expect([refusalOf(other), pointersOf(other)]).toEqual(['400 request-invalid', ['/records/2/props/src']])
    expect(refusalOf(await site.ask('GET', `/v1/boards/${board}/items`))).toBe('404 board-missing')
    expect((await upload(site, board, fileOf(picture, drawnNote('a')))).json()).toMatchObject({ assets: 1, seq: 1 })
  })

  test('is refused where it is no file that can be read here', async () => {
    const board = freshBoard()
    const sequences = { ...schema.sequences, 'com.tldraw.shape.note': 999 }
    const newer = await upload(site, board, { ...fileOf(drawnNote('a')), schema: { ...schema, sequences } })
    expect(refusalOf(newer)).toBe('422 file-unreadable')
    const faulty: [unknown, string][] = [
      [{ ...fileOf(), tldrawFileFormatVersion: 2 }, '/tldrawFileFormatVersion'],
      [{ ...fileOf(), records: {} }, '/records'],
      [{ ...fileOf(), schema: null }, '/schema'],
      [[], ''],
    ]
    for (const [file, pointer] of faulty) {
      const answer = await upload(site, board, file)
      expect([refusalOf(answer), pointersOf(answer)]).toEqual(['400 request-invalid', [pointer]])
    }
    const large = await upload(site, board, fileOf(drawnNote('a', { meta: { text: 'x'.repeat(16 * 1024 * 1024) } })))
    expect(refusalOf(large)).toBe('413 body-too-large')
  })

  test.each(['text/plain;charset=UTF-8', 'application/x-www-form-urlencoded', 'application/octet-stream', undefined])(
    'is read whatever it is said to be: %s',
    async type => {
      const headers = { host: 'localhost', ...(type !== undefined && { 'content-type': type }) }
      const send = (payload: string) =>
        site.app.inject({ method: 'POST', url: `/v1/boards/${freshBoard()}/import`, headers, payload })
      expect((await send(JSON.stringify(fileOf(drawnNote('a'))))).statusCode).toBe(200)
      expect(refusalOf(await send('no file'))).toBe('400 json-malformed')
    },
  )

  test('is made once, however often it is sent under one key', async () => {
    const board = freshBoard()
    const send = () =>
      upload(site, board, fileOf(drawnNote('a')), {
        'idempotency-key': 'once',
        'content-type': 'application/vnd.tldraw+json',
      })
    const [first, second] = [(await send()).json(), (await send()).json()]
    expect(second).toEqual(first)
    expect((await listed(site, board)).length).toBe(1)
  })
})
