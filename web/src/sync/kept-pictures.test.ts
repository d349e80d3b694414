import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { MemoryIndexedDb, memoryKeyRange } from '../../../test/kit/memory-indexeddb.ts'
import { KeptPictures } from './kept-pictures.ts'

let browser: MemoryIndexedDb
beforeEach(() => {
  browser = new MemoryIndexedDb()
  vi.stubGlobal('indexedDB', browser)
  vi.stubGlobal('IDBKeyRange', memoryKeyRange)
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const picture = new File(['the bytes of a picture'], 'a.png', { type: 'image/png' })

it('a picture is kept until it is dropped', async () => {
  const kept = new KeptPictures('pictures')
  await kept.keep('asset:a', picture)
  expect([...(await kept.all()).keys()]).toEqual(['asset:a'])
  await kept.drop('asset:a')
  expect(await kept.all()).toEqual(new Map())
})

it('pictures that cannot be read are told of and count as none: the board is opened without them', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const kept = new KeptPictures('pictures')
  await kept.keep('asset:a', picture)
  browser.beforeReading = () => {
    throw new Error('Failed to read large IndexedDB value')
  }
  expect(await kept.all()).toEqual(new Map())
  expect(warn).toHaveBeenCalledOnce()
  expect(browser.databases.get('pictures')?.get('pictures')?.size).toBe(1)
})
