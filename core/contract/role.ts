/** Roles: what somebody may do with a board. */

/** `read` sees, `write` edits too, `admin` manages too; each may all that those before it may. */
export const roles = ['read', 'write', 'admin'] as const

export type Role = (typeof roles)[number]

export const mayWrite = (role: Role): boolean => role !== 'read'

/** Whether `role` reaches as far as `other`. */
export const includes = (role: Role, other: Role): boolean => roles.indexOf(role) >= roles.indexOf(other)

/** What a credential may do, by board id (null: nothing); `*` stands for every board that is not named. */
export type Rights = ReadonlyMap<string, Role | null>

export const everyBoard = '*'

/** The role on a board; undefined: none, and the board might as well not exist. */
export const roleIn = (rights: Rights, board: string): Role | undefined =>
  rights.get(rights.has(board) ? board : everyBoard) ?? undefined
