/**
 * Whether this user may only look, learned from what the server refuses. It says "permission denied" of an edit and of a
 * credential alike, the latter a second before it closes with 4401. So a refusal counts
 * - only on a board that is complete: before, either it is the credential, or the probe that follows tells the same;
 * - only until the connection ends with 4401: then it was the credential, and nothing new is known of the right to edit.
 * Otherwise it holds across connections, until the server takes an edit.
 */
import type { WebsocketProvider } from 'y-websocket'
import { credentialRefused } from './connection.ts'

/** The part of a provider that this needs. */
export type JudgedProvider = Pick<WebsocketProvider, 'on' | 'synced'>

export class EditRight {
  readonly #provider: JudgedProvider
  #mayOnlyRead = false
  #beforeLastRefusal = false

  constructor(provider: JudgedProvider) {
    this.#provider = provider
    provider.on('connection-close', event => {
      if (event?.code === credentialRefused) this.#mayOnlyRead = this.#beforeLastRefusal
      this.#beforeLastRefusal = this.#mayOnlyRead
    })
  }

  get mayOnlyRead(): boolean {
    return this.#mayOnlyRead
  }

  refuse(): void {
    if (!this.#provider.synced) return
    this.#beforeLastRefusal = this.#mayOnlyRead
    this.#mayOnlyRead = true
  }

  allow(): void {
    this.#mayOnlyRead = false
    this.#beforeLastRefusal = false
  }
}
