/** Waiting, by the clock that tests can turn (fake timers do not reach `node:timers/promises`). */

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
