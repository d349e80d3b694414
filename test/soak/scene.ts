/** A whole deployment with people and agents at work in it: Postgres, Redis, instances behind load balancers. */

import { type LoadBalancer, startLoadBalancer } from '../kit/load-balancer.ts'
import { type Postgres, startPostgres } from '../kit/postgres.ts'
import { type Redis, startRedis } from '../kit/redis.ts'
import type { Stoppable } from '../kit/releasing.ts'
import { Seat } from '../kit/seat.ts'
import { until } from '../kit/until.ts'
import { Agent, manners } from './agents.ts'
import { Person } from './person.ts'

export type Role = 'all' | 'ws' | 'api'

export interface SceneOptions {
  roles: readonly Role[]
  boards: number
  people: number
  /** Milliseconds from one change to the next, of each person and of each agent. */
  pace: number
}

export interface SeatedRole {
  role: Role
  seat: Seat
}

export class Scene implements Stoppable {
  readonly databaseUrl: string
  readonly postgres: Postgres
  readonly redis: Redis
  readonly seats: readonly SeatedRole[]
  readonly boards: readonly string[]
  readonly people: Person[] = []
  readonly agents: Agent[] = []
  readonly #balancers: LoadBalancer[] = []
  readonly #started: Stoppable[]

  private constructor(
    databaseUrl: string,
    postgres: Postgres,
    redis: Redis,
    seats: readonly SeatedRole[],
    started: Stoppable[],
    boards: number,
  ) {
    this.databaseUrl = databaseUrl
    this.postgres = postgres
    this.redis = redis
    this.seats = seats
    this.#started = started
    this.boards = Array.from({ length: boards }, (_, n) => `scene-${n + 1}`)
  }

  /** @returns a scene in which everybody is at work */
  static async set(options: SceneOptions): Promise<Scene> {
    const started: Stoppable[] = []
    const keep = <T extends Stoppable>(part: T): T => {
      started.push(part)
      return part
    }
    try {
      const postgres = keep(await startPostgres())
      const redis = keep(await startRedis())
      const databaseUrl = await postgres.createDatabase()
      const settings = { DATABASE_URL: databaseUrl, REDIS_URL: redis.url }
      const take = async (role: Role) => ({ role, seat: keep(await Seat.take({ ...settings, ROLE: role })) })
      const seats = await Promise.all(options.roles.map(take))
      const scene = new Scene(databaseUrl, postgres, redis, seats, started, options.boards)
      await scene.#gather(options)
      return scene
    } catch (error) {
      await endAll(started)
      throw error
    }
  }

  seatsOf(...roles: Role[]): Seat[] {
    return this.seats.flatMap(({ role, seat }) => (roles.includes(role) ? [seat] : []))
  }

  /** Changes asked for and lines written so far. */
  progress(): number {
    const asked = this.agents.reduce((sum, agent) => sum + agent.asked, 0)
    return this.people.reduce((sum, person) => sum + person.written().length, asked)
  }

  /** Nobody begins anything new; resolves when every agent has heard of its last change. */
  async workIsOver(): Promise<void> {
    for (const person of this.people) person.stopWriting()
    await Promise.all(this.agents.map(agent => agent.stop()))
  }

  async stop(): Promise<void> {
    for (const person of this.people) person.stop()
    await endAll(this.#started)
  }

  async #gather({ people, pace }: SceneOptions): Promise<void> {
    const behind = async (...roles: Role[]) => {
      const balancer = await startLoadBalancer(() => this.seatsOf(...roles).flatMap(seat => seat.addresses))
      this.#started.push(balancer)
      this.#balancers.push(balancer)
      return balancer
    }
    const [sockets, rest] = [await behind('all', 'ws'), await behind('all', 'api')]
    for (let n = 0; n < people; n++) {
      const board = this.boards[n % this.boards.length] as string
      this.people.push(new Person(sockets.wsUrl, board, `person-${n}`, pace))
    }
    const everyone = () => this.people.every(({ client }) => client.provider.synced)
    await until(everyone, { what: 'everyone to be there', timeout: 180_000 })
    for (const board of this.boards) {
      const view = this.people.find(person => person.board === board)?.view
      if (!view) throw new Error(`nobody is on ${board}`)
      const around = { url: rest.url, redis: this.redis.client, view, board, pace }
      this.agents.push(...manners.map(manner => new Agent(manner, around)))
    }
  }
}

/** Last in, first out; one that fails keeps none of the others running. */
async function endAll(started: Stoppable[]): Promise<void> {
  for (let part = started.pop(); part; part = started.pop()) {
    try {
      await part.stop()
    } catch (error) {
      console.error(error)
    }
  }
}
