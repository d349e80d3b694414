import { expect, test } from 'vitest'
import { grantOf } from '../../core/auth/grant.ts'
import { inflated } from '../../test/kit/frames.ts'
import { silent } from '../../test/kit/site.ts'
import { Audience } from './audience.ts'
import { Peer } from './peer.ts'

const grant = grantOf({ subject: 'anyone', authenticated: false, rights: new Map(), basis: { issuer: 'test' } })

test('cursors are deflated once for all who asked, and each kind of peer is served in a row', () => {
  const audience = new Audience(
    {
      stateVector: () => Uint8Array.of(0),
      missing: () => Uint8Array.of(0, 0),
      whenCommitted: then => then(),
      onCaughtUp: () => {},
      bytes: () => 0,
    },
    silent,
  )
  const sent: [string, Uint8Array][] = []
  const join = (name: string, inflates: boolean, bufferedAmount = 0) => {
    const send = (frame: Uint8Array) => sent.push([name, frame])
    const socket = { bufferedAmount, send, close: () => {}, answersPing: async () => true }
    audience.add(new Peer(socket, grant, 'write', inflates))
  }
  join('asked', true)
  join('stock', false)
  join('asked too', true)
  join('stock too', false)
  join('slow', true, 2 * 1024 * 1024)
  const frame = new Uint8Array(10_000).fill(1)
  audience.sendAwareness(frame)

  expect(sent.map(([name]) => name)).toEqual(['stock', 'stock too', 'asked', 'asked too'])
  const [one, two, three, four] = sent.map(([, bytes]) => bytes)
  expect(one).toBe(frame)
  expect(two).toBe(frame)
  expect(three).toBe(four)
  expect(inflated(three ?? frame)).toEqual(frame)
})
