/** REDIS_URL as addresses: one, or those of several servers of a Cluster, separated by commas. */

/** @returns the addresses; undefined when one of them is none */
export function redisAddresses(text: string): URL[] | undefined {
  // A password may hold a comma: an address ends only where the next one begins.
  const parts = text.split(/,\s*(?=rediss?:\/\/)/)
  const urls = parts.flatMap(part => (URL.canParse(part) ? [new URL(part)] : []))
  const sound = ({ protocol, host }: URL) =>
    ['redis:', 'rediss:'].includes(protocol) && host !== '' && !host.includes(',')
  return urls.length === parts.length && urls.every(sound) ? urls : undefined
}

/** `host:port`: what a server is known by. */
export const serverOf = (url: URL): string => `${url.hostname}:${url.port || 6379}`
