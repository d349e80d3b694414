import { ObservableV2 } from 'lib0/observable'
import { describe, expect, it } from 'vitest'
import { EditRight, type JudgedProvider } from './edit-right.ts'

/** As much of a WebsocketProvider as the right to edit is judged by. */
class Provider extends ObservableV2<{ 'connection-close': (event: { code: number } | null) => void }> {
  synced = false

  close(code: number): void {
    this.emit('connection-close', [{ code }])
    this.synced = false
  }
}

function join() {
  const provider = new Provider()
  const right = new EditRight(provider as unknown as JudgedProvider)
  provider.synced = true
  return { provider, right }
}

describe('a user whose edits are refused', () => {
  it('may only look, also while the connection is lost', () => {
    const { provider, right } = join()
    right.refuse()
    expect(right.mayOnlyRead).toBe(true)
    provider.close(1006)
    expect(right.mayOnlyRead).toBe(true)
  })

  it('may only look when the credential has expired, too', () => {
    const { provider, right } = join()
    right.refuse()
    right.refuse()
    provider.close(4401)
    expect(right.mayOnlyRead).toBe(true)
  })

  it('may only look when another connection refuses the credential', () => {
    const { provider, right } = join()
    right.refuse()
    provider.close(1006)
    right.refuse()
    provider.close(4401)
    expect(right.mayOnlyRead).toBe(true)
    provider.close(4401)
    expect(right.mayOnlyRead).toBe(true)
  })

  it('may edit as soon as the server takes an edit', () => {
    const { provider, right } = join()
    right.refuse()
    right.allow()
    expect(right.mayOnlyRead).toBe(false)
    provider.close(4401)
    expect(right.mayOnlyRead).toBe(false)
  })
})

describe('a credential that is refused says nothing of the right to edit', () => {
  it('at the beginning of a connection', () => {
    const { provider, right } = join()
    right.allow()
    provider.close(1006)
    right.refuse()
    expect(right.mayOnlyRead).toBe(false)
    provider.close(4401)
    expect(right.mayOnlyRead).toBe(false)
  })

  it('in the middle of one, as soon as it has ended', () => {
    const { provider, right } = join()
    right.allow()
    right.refuse()
    provider.close(4401)
    expect(right.mayOnlyRead).toBe(false)
  })
})
