/** The process's logger (pino). Credentials are `Secret`s and URLs are logged without their query. */
import { type Logger, pino } from 'pino'

export type { Logger }

/** @param level a pino level, or `silent` */
export const createLogger = (level: string): Logger => pino({ name: 'boardsync', level })
