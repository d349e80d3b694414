/** Times as people say them. */

const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

/** @param time milliseconds since 1970 */
export function ago(time: number): string {
  const passed = Date.now() - time
  for (const [unit, length] of steps) {
    if (passed >= length) return new Intl.RelativeTimeFormat('en').format(-Math.floor(passed / length), unit)
  }
  return 'just now'
}
