/** The bus channels of a board. Other programs may publish to `updates`; the rest is between instances. */
import type { BoardId } from './board-id.ts'

/** Item changes, from api-bridge (with `change_id`) and from other programs. */
export const updatesChannel = (board: BoardId): string => `board:${board}:updates`
export const everyUpdatesChannel = 'board:*:updates'
/** A lease: who holds it takes in what other programs publish on `updates`. */
export const intakeLease = (board: BoardId): string => `boardsync:intake:${board}`
/** Marks where one holder of such a lease ends and the next begins: `<board> <unique>`, and once the one has stored all, `… stored`. */
export const handoverChannel = 'boardsync:handover'
/** Public ids of item changes that were applied or rejected: a hint, the row is the answer. */
export const acksChannel = (board: BoardId): string => `board:${board}:acks`
export const everyAcksChannel = 'board:*:acks'
/** What instances commit: its seqs, and its bytes where they are few. */
export const syncChannel = (board: BoardId): string => `board:${board}:sync`
/** Who is on the board on other instances, and where their cursors are. */
export const awarenessChannel = (board: BoardId): string => `board:${board}:awareness`
/** Which agents are at work on the board: for all who show it. */
export const agentsChannel = (board: BoardId): string => `board:${board}:agents`
export const everyAgentsChannel = 'board:*:agents'
/** What agents are called, for those whose credential says so. */
export const agentNamesChannel = 'boardsync:agent-names'
/** Ids of boards that were deleted or restored: a hint, for those who have them open. */
export const boardsChannel = 'boardsync:boards'
/** What instances tell each other of one board: only those that have it open listen. */
export const isBetweenInstances = (channel: string): boolean => /^board:[^:]+:(?:sync|awareness)$/.test(channel)
/** What instances keep of who is on a board through them, by instance. */
export const presenceGroup = (board: BoardId): string => `presence:${board}`
/** The agents that are to be seen on a board, by client id. */
export const agentsGroup = (board: BoardId): string => `agents:${board}`
/** What instances keep of themselves, by instance. */
export const instancesGroup = 'instances'
/** The board a channel belongs to, as written there (unchecked), or undefined for a channel that is none of ours. */
export const boardOfChannel = (channel: string): string | undefined => /^board:([^:]+):[a-z]+$/.exec(channel)?.[1]
/** Says that a credential came to an end, not which: whoever hears it asks the store. */
export const credentialsChannel = 'boardsync:credentials'
