/** Tells every instance of an agent on a board: those that have the board open now, and those that open or ask later. */
import { type AgentSighting, encodeSighting, leftOf } from '../contract/agent-sighting.ts'
import type { BoardId } from '../contract/board-id.ts'
import { agentsChannel, agentsGroup } from '../contract/channels.ts'
import type { Bus } from './bus.ts'

export function tellOfAgent(
  bus: Pick<Bus, 'keep' | 'forget' | 'publish'>,
  board: BoardId,
  sighting: AgentSighting,
): void {
  const text = encodeSighting(sighting)
  const name = String(sighting.clientId)
  const left = leftOf(sighting)
  if (left > 0) bus.keep(agentsGroup(board), name, text, left)
  else bus.forget(agentsGroup(board), name)
  bus.publish(agentsChannel(board), new TextEncoder().encode(text))
}
