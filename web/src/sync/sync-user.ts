/** Who this user is to the others on a board. */
import { colorOf } from '../../../core/contract/colors.ts'

export interface SyncUser {
  /** Signs what this user writes; best the same on every visit. */
  id: string
  name: string
  /** `#rrggbb` */
  color: string
}

/** With what is not given made up: the same name always gets the same colour. */
export function completeUser({ id, name = 'Somebody', color }: Partial<SyncUser>): SyncUser {
  const own = id ?? name
  return { id: own, name, color: color ?? colorOf(own) }
}
