/** The colours people get: far enough apart to tell cursors by. Initials on them are white or black, as can be read. */

export const palette = [
  '#d6336c',
  '#ae3ec9',
  '#7048e8',
  '#4263eb',
  '#1971c2',
  '#0c8599',
  '#099268',
  '#2f9e44',
  '#a86400',
  '#d9480f',
  '#c92a2a',
  '#495057',
]

/** Always the same colour for the same seed. */
export function colorOf(seed: string): string {
  let sum = 0
  for (const char of seed) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) >>> 0
  return palette[sum % palette.length] ?? '#495057'
}

export const isHexColor = (value: unknown): value is string =>
  typeof value === 'string' && /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(value)
