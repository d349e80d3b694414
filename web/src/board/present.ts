/** Who else is on the board: people before agents, each in the order in which they came. */
import type { WebsocketProvider } from 'y-websocket'
import type { PresentUser } from '../../../core/contract/present-user.ts'
import { readUser } from '../sync/awareness-state.ts'

export interface Present extends PresentUser {
  clientId: number
}

export function readPresent({
  clientID,
  states,
}: Pick<WebsocketProvider['awareness'], 'clientID' | 'states'>): Present[] {
  const present: Present[] = []
  for (const [clientId, state] of states) {
    const user = readUser(clientId, state)
    if (user && clientId !== clientID) present.push({ ...user, clientId })
  }
  return present.sort((a, b) => Number(a.type === 'agent') - Number(b.type === 'agent'))
}
