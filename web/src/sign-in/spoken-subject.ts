/** Whose session it is, as the end of "Signed in …". */

/** Of a key's id: enough to tell keys apart, and to find it in a list of them. */
const idLength = 8

export function spokenSubject(subject: string): string {
  const [, keyId] = /^key:(.+)$/.exec(subject) ?? []
  return keyId ? `with key ${keyId.slice(0, idLength)}` : `as ${subject}`
}
