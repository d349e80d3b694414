/** What kind of picture bytes are, by how they begin: what a sender says of them counts for nothing. */

const signatures: readonly [mediaType: string, extension: string, matches: (head: string) => boolean][] = [
  ['image/png', 'png', head => head.startsWith('\x89PNG\r\n\x1a\n')],
  ['image/jpeg', 'jpg', head => head.startsWith('\xff\xd8\xff')],
  ['image/gif', 'gif', head => head.startsWith('GIF87a') || head.startsWith('GIF89a')],
  ['image/webp', 'webp', head => head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP'],
]

/** @returns undefined for what is none of PNG, JPEG, GIF and WebP */
export function pictureTypeOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  return signatures.find(([, , matches]) => matches(head))?.[0]
}

export const extensionOf = (mediaType: string): string => signatures.find(([type]) => type === mediaType)?.[1] ?? 'bin'
