/** Lays compressed copies beside the files of the built page: whoever takes them has the canvas after a third of the bytes. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const brotli = promisify(brotliCompress)
/** Pictures and fonts are compressed already. */
const texts = /\.(?:js|css|svg|json)$/
/** Smaller ones fit into the first packets anyway. */
const bytesAtLeast = 1_024
/** 11, the best, takes ten times as long for another 7 %. */
const brotliQuality = 8

export async function compressFiles(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter(name => texts.test(name))
  await Promise.all(
    names.map(async name => {
      const path = join(folder, name)
      const bytes = await readFile(path)
      if (bytes.byteLength < bytesAtLeast) return
      const params = { [constants.BROTLI_PARAM_QUALITY]: brotliQuality }
      await writeFile(`${path}.br`, await brotli(bytes, { params }))
      await writeFile(`${path}.gz`, await promisify(gzip)(bytes))
    }),
  )
}
