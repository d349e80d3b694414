/** A self-signed certificate for tests of TLS, made here: a machine that has only Node has no openssl. */

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './temporary-folder.ts'

/** Files. The certificate is its own authority. */
export interface Certificate {
  key: string
  certificate: string
  authority: string
  stop(): void
}

/** @param ip the IPv4 address of the server that shows it */
export function selfSigned(ip: string): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(tagged(0x31, sequence(commonName, tagged(0x0c, Buffer.from('boardsync test')))))
  const year = 365 * 24 * 3_600_000
  const validity = sequence(time(Date.now() - year), time(Date.now() + year))
  const addresses = sequence(tagged(0x87, Buffer.from(ip.split('.').map(Number))))
  const extensions = sequence(
    sequence(subjectAltName, tagged(0x04, addresses)),
    sequence(basicConstraints, tagged(0x04, sequence(tagged(0x01, Buffer.of(0xff))))),
  )
  const serial = tagged(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)]))
  const subject = publicKey.export({ type: 'spki', format: 'der' })
  const version3 = tagged(0xa0, tagged(0x02, Buffer.of(2)))
  const body = sequence(version3, serial, algorithm, name, validity, name, subject, tagged(0xa3, extensions))
  const signature = tagged(0x03, Buffer.concat([Buffer.of(0), sign('sha256', body, privateKey)]))
  const pem = sequence(body, algorithm, signature)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n')

  const folder = temporaryFolder()
  const [key, certificate] = [join(folder.path, 'key.pem'), join(folder.path, 'certificate.pem')]
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(certificate, `-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----\n`)
  return { key, certificate, authority: certificate, stop: () => folder.stop() }
}

// X.509 (RFC 5280) in DER: a tag, a length, the content.
const tagged = (tag: number, content: Buffer): Buffer => {
  const { length } = content
  const short = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...short), content])
}
const sequence = (...content: Buffer[]): Buffer => tagged(0x30, Buffer.concat(content))
const time = (ms: number): Buffer => tagged(0x18, Buffer.from(new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')))
const commonName = tagged(0x06, Buffer.of(0x55, 0x04, 0x03))
const subjectAltName = tagged(0x06, Buffer.of(0x55, 0x1d, 0x11))
const basicConstraints = tagged(0x06, Buffer.of(0x55, 0x1d, 0x13))
const algorithm = sequence(tagged(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
