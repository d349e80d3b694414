/** What this browser remembers between visits. Where it refuses to (private windows, full disks), nothing is remembered. */

/** The stored value, or undefined. It may have been written by an older page, or by hand: check its shape. */
export function remembered(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(`boardsync:${key}`) ?? 'null') ?? undefined
  } catch (error) {
    console.warn(`boardsync: nothing remembered of ${key}:`, error)
    return undefined
  }
}

export function remember(key: string, value: unknown): void {
  try {
    localStorage.setItem(`boardsync:${key}`, JSON.stringify(value))
  } catch (error) {
    console.warn(`boardsync: ${key} will not be remembered:`, error)
  }
}
