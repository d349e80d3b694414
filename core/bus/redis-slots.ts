/** Which server of a Redis Cluster has what: every key and sharded channel belongs to one of 16,384 slots. Pure. */

const slotCount = 16_384

export interface SlotRange {
  from: number
  to: number
  /** `host:port` of the master. */
  owner: string
}

/**
 * The slot of a key (Redis Cluster specification): CRC16/XMODEM of the key, or of what stands in its first braces where
 * that is anything at all.
 */
export function slotOf(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key
  let crc = 0
  for (const byte of Buffer.from(hashed)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  return crc % slotCount
}

/**
 * @param answer to CLUSTER SLOTS
 * @param asked `host:port` of the server that answered; it may leave its own host out
 * @returns undefined where a slot belongs to nobody: the cluster is not whole
 */
export function readSlots(answer: unknown, asked: string): SlotRange[] | undefined {
  if (!Array.isArray(answer)) return undefined
  const ranges: SlotRange[] = []
  for (const entry of answer) {
    const [from, to, master] = Array.isArray(entry) ? entry : []
    const [host, port] = Array.isArray(master) ? master : []
    if (typeof from !== 'number' || typeof to !== 'number' || typeof port !== 'number') return undefined
    ranges.push({ from, to, owner: `${host ? bracketed(String(host)) : hostOf(asked)}:${port}` })
  }
  ranges.sort((a, b) => a.from - b.from)
  const covered = ranges.reduce((next, { from, to }) => (from === next ? to + 1 : Number.NaN), 0)
  return covered === slotCount ? ranges : undefined
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)
const hostOf = (server: string): string => server.slice(0, server.lastIndexOf(':'))
