/** One authorised socket on a board, as a room sees it. */
import type { Grant } from '../../core/auth/grant.ts'
import type { SyncError } from '../../core/base/errors.ts'
import type { Role } from '../../core/contract/role.ts'

/** The socket behind a peer: what a room needs of it, and all that a test has to stand in for. */
export interface PeerSocket {
  /** Bytes handed to the socket that the network has not taken yet. */
  readonly bufferedAmount: number
  send(frame: Uint8Array): void
  /** Ends the connection with the close code of this error. */
  close(error: SyncError): void
  /** Resolves with whether the other side answered within `withinMs`. */
  answersPing(withinMs: number): Promise<boolean>
}

export class Peer {
  readonly socket: PeerSocket
  readonly grant: Grant
  readonly role: Role
  /** Its client takes deflated messages (`core/contract/deflated.ts`). */
  readonly inflates: boolean
  /** Step 1 was sent and not answered yet: another would only be answered twice. */
  awaitsStep2 = false
  /** How often an update of this peer could not be applied for want of others, since the last that could. */
  unresolved = 0
  /** Its connection is being ended for what it sent; the rest of that counts for nothing. */
  refused = false
  /** It has asked what it lacks before. */
  hasAsked = false
  /** Of the document, what it said it has when it asked last, until the answer to that is made. */
  question: Map<number, number> | undefined
  /** The answer, while that waits for a commit. */
  answer: Uint8Array | undefined

  constructor(socket: PeerSocket, grant: Grant, role: Role, inflates = false) {
    this.socket = socket
    this.grant = grant
    this.role = role
    this.inflates = inflates
  }
}
