/** Random ids that may stand in a URL: 96 bits, so nobody finds a board by guessing. */

export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
}
