/**
 * What instances tell each other on `board:{id}:awareness`. Pure.
 *
 *   version 2 · kind · instance (string) · order · states (y-protocols' awareness update, with its length) ·
 *   of each state: subject (string) · since
 *
 * `order` grows with each message of an instance: a list of everybody that comes late removes nobody.
 */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { decodeAwareness, encodeAwareness } from '../protocol/awareness-codec.ts'
import type { OwnedState } from './presence-owner.ts'

const version = 2
/**
 * - `who`: the board was opened here; the others are to say who is there
 * - `changed`: these came, moved or went
 * - `everybody`: all that are here; who was and is not among them went. Also says that the instance lives
 * - `outdated`: these are taken to be gone; whose they are is to have them announce themselves anew
 * - `claim`: a peer announces these, which belong to peers of another instance: do those live?
 * - `held`: they do
 */
const kinds = ['who', 'changed', 'everybody', 'outdated', 'claim', 'held'] as const

export interface AwarenessMessage {
  kind: (typeof kinds)[number]
  instance: string
  order: number
  states: readonly OwnedState[]
}

export function encodeAwarenessMessage({ kind, instance, order, states }: AwarenessMessage): Uint8Array {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, version)
  encoding.writeVarUint(encoder, kinds.indexOf(kind))
  encoding.writeVarString(encoder, instance)
  encoding.writeVarUint(encoder, order)
  encoding.writeVarUint8Array(encoder, encodeAwareness(states))
  for (const { subject, since } of states) {
    encoding.writeVarString(encoder, subject)
    encoding.writeVarUint(encoder, since)
  }
  return encoding.toUint8Array(encoder)
}

/** @returns undefined for what is no such message, and for one of another version or kind */
export function decodeAwarenessMessage(bytes: Uint8Array): AwarenessMessage | undefined {
  try {
    const decoder = decoding.createDecoder(bytes)
    if (decoding.readVarUint(decoder) !== version) return undefined
    const kind = kinds[decoding.readVarUint(decoder)]
    const instance = decoding.readVarString(decoder)
    const order = decoding.readVarUint(decoder)
    // Of its own: the bytes that came may be a slice of a buffer that is used again.
    const states = decodeAwareness(decoding.readVarUint8Array(decoder).slice()).map(state => ({
      ...state,
      subject: decoding.readVarString(decoder),
      since: decoding.readVarUint(decoder),
    }))
    if (!kind || decoder.pos !== bytes.length) return undefined
    return { kind, instance, order, states }
  } catch {
    return undefined // cut short
  }
}
