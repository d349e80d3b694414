/** A real Redis Cluster for tests: three masters without replicas, each a server of its own. */

import { freePort } from './free-port.ts'
import { type Redis, startRedis } from './redis.ts'
import type { Stoppable } from './releasing.ts'
import { until } from './until.ts'

const slots = 16_384

export interface RedisCluster extends Stoppable {
  /** Of one of them. */
  readonly url: string
  readonly servers: readonly Redis[]
  /** The server that had the slot of this key or channel at first. */
  holderOf(key: string): Promise<Redis>
  /** Hands that slot over to another server, once. @returns which has it now */
  move(key: string): Promise<Redis>
}

/** @returns one that is whole */
export async function startRedisCluster(): Promise<RedisCluster> {
  const servers = await Promise.all(
    [0, 1, 2].map(async () =>
      startRedis({
        args: [
          '--cluster-enabled',
          'yes',
          '--cluster-port',
          String(await freePort()),
          // A server that gets no processor for a moment is not one that is gone.
          '--cluster-node-timeout',
          '5000',
        ],
      }),
    ),
  )
  const share = Math.ceil(slots / servers.length)
  for (const [index, { client }] of servers.entries()) {
    await client.call('CLUSTER', 'ADDSLOTSRANGE', index * share, Math.min(slots, (index + 1) * share) - 1)
    // Two of the same epoch would only later agree on who has what.
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
  }
  const [first, ...others] = servers
  if (!first) throw new Error('a cluster has servers')
  for (const server of others) {
    const { port } = new URL(server.url)
    await first.client.call('CLUSTER', 'MEET', '127.0.0.1', port, await busPortOf(server))
  }
  await until(() => isWhole(servers), { what: 'the cluster to be whole' })
  const slotOf = async (key: string) => Number(await first.client.call('CLUSTER', 'KEYSLOT', key))
  const holderOf = async (key: string) => servers[Math.floor((await slotOf(key)) / share)] ?? first
  return {
    url: first.url,
    servers,
    holderOf,
    async move(key) {
      const [slot, from] = [await slotOf(key), await holderOf(key)]
      const to = servers[(servers.indexOf(from) + 1) % servers.length] ?? first
      const id = String(await to.client.call('CLUSTER', 'MYID'))
      for (const { client } of [to, from, ...servers]) await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', id)
      return to
    },
    async stop() {
      await Promise.all(servers.map(server => server.stop()))
    },
  }
}

async function busPortOf({ client }: Redis): Promise<string> {
  const [, port] = (await client.config('GET', 'cluster-port')) as string[]
  if (!port) throw new Error('this server has no cluster port')
  return port
}

async function isWhole(servers: readonly Redis[]): Promise<boolean> {
  const answers = await Promise.all(servers.map(({ client }) => client.cluster('INFO')))
  return answers.every(answer => /cluster_state:ok/.test(answer) && /cluster_known_nodes:3/.test(answer))
}
