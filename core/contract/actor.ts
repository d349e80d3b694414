/** Who made an edit, as each log row says. */

/** `human:<subject>` for edits that came over a socket, `agent:<subject>` for those that came over REST. */
export type Actor = `human:${string}` | `agent:${string}`

export const subjectOf = (actor: Actor): string => actor.slice(actor.indexOf(':') + 1)
