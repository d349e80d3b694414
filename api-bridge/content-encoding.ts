/** Bodies are taken as they are: of one that is compressed it would be said that it is malformed. RFC 9110, 15.5.16. */
import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from './problems.ts'

/** @throws Problem `content-encoding-unsupported` */
export function refuseEncoded({ 'content-encoding': coding }: IncomingHttpHeaders): void {
  if (coding === undefined || coding.toLowerCase() === 'identity') return
  throw new Problem('content-encoding-unsupported', 'a body is taken as it is, without Content-Encoding', {
    headers: { 'accept-encoding': 'identity' },
  })
}
