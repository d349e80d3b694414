/** What is made out of other files is made once, whole, and by whoever comes first. */

import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { releasing } from '../../test/kit/releasing.ts'
import { temporaryFolder } from '../../test/kit/temporary-folder.ts'
import { ensureMade } from './made-folder.ts'

const use = releasing()
const place = () => join(use(temporaryFolder()).path, 'dist')
const writing = (text: string) => (folder: string) => writeFile(join(folder, 'text'), text)

test('a folder is made once for the same sources, and anew for others', async () => {
  const dist = place()
  let times = 0
  const make = (folder: string) => {
    times++
    return writing('a')(folder)
  }
  const made = await ensureMade('page', 'aa', make, dist)
  expect(await ensureMade('page', 'aa', make, dist)).toBe(made)
  expect(times).toBe(1)
  expect(await ensureMade('page', 'bb', writing('b'), dist)).not.toBe(made)
  expect(await ensureMade('other', 'aa', writing('c'), dist)).not.toBe(made)
  expect(await readFile(join(made, 'text'), 'utf8')).toBe('a')
})

test('of two that make the same at once both get a whole one', async () => {
  const dist = place()
  let made = 0
  let meet = () => {}
  const bothAreAtIt = new Promise<void>(resolve => {
    meet = resolve
  })
  const make = async (folder: string) => {
    await writeFile(join(folder, 'text'), 'whole')
    if (++made === 2) meet()
    await bothAreAtIt
  }
  const [one, other] = await Promise.all([ensureMade('page', 'aa', make, dist), ensureMade('page', 'aa', make, dist)])
  expect(one).toBe(other)
  expect(await readFile(join(one, 'text'), 'utf8')).toBe('whole')
  expect(await readdir(dist)).toHaveLength(1)
})

test('what fails to be made leaves nothing, and can be made later', async () => {
  const dist = place()
  const failing = async (folder: string) => {
    await writing('half')(folder)
    throw new Error('broken off')
  }
  await expect(ensureMade('page', 'aa', failing, dist)).rejects.toThrow('broken off')
  expect(await readdir(dist)).toEqual([])
  expect(await readFile(join(await ensureMade('page', 'aa', writing('a'), dist), 'text'), 'utf8')).toBe('a')
})

test('old ones are removed but for the newest, and parts that were abandoned', async () => {
  const dist = place()
  const daysAgo = async (folder: string, days: number) => {
    await mkdir(join(dist, folder), { recursive: true })
    await utimes(join(dist, folder), new Date(), new Date(Date.now() - days * 86_400_000))
  }
  for (const [at, name] of ['page-1', 'page-2', 'page-3', 'page-4'].entries()) await daysAgo(name, 8 + at)
  await daysAgo('database-1', 30)
  await daysAgo('part-page-1', 1)
  await mkdir(join(dist, 'part-page-now'))
  await ensureMade('page', 'aa', writing('a'), dist)
  expect((await readdir(dist)).sort()).toEqual(['database-1', 'page-1', 'page-2', 'page-aa', 'part-page-now'])
})
