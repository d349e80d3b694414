/**
 * The instances that run: each keeps itself on the bus, for 10 s at a time, and looks who else is there. What is asked of it
 * is answered from its last look: nothing waits for the bus.
 */
import { z } from 'zod'
import type { Bus } from '../core/bus/bus.ts'
import { instancesGroup } from '../core/contract/channels.ts'

const keptForMs = 10_000
const lookEveryMs = 2_500

const runningSchema = z.object({
  id: z.string(),
  role: z.enum(['all', 'ws', 'api']),
  version: z.string(),
  /** When it started, ISO 8601. */
  since: z.string(),
  draining: z.boolean(),
  connections: z.number(),
  /** Boards open in it … */
  rooms: z.number(),
  /** … and those of them on which somebody is on another instance, too. */
  rooms_shared: z.number(),
})
export type RunningInstance = z.output<typeof runningSchema>

export class InstanceList {
  readonly #bus: Bus
  readonly #own: () => RunningInstance
  readonly #timer: NodeJS.Timeout
  readonly #unlisten: () => void
  #others: readonly RunningInstance[] = []
  #isPartial = false
  #looking = false
  #stopped = false

  constructor(bus: Bus, own: () => RunningInstance) {
    this.#bus = bus
    this.#own = own
    this.#timer = setInterval(() => void this.#look(), lookEveryMs)
    this.#unlisten = bus.onState(() => void this.#look())
    void this.#look()
  }

  /** Those of its last look, and this one as it is now; by age. */
  all(): RunningInstance[] {
    return [this.#own(), ...this.#others].sort((a, b) => (a.since < b.since ? -1 : 1))
  }

  /** There may be others: the bus cannot tell. */
  get isPartial(): boolean {
    return this.#isPartial || this.#bus.state === 'down'
  }

  /** It runs no longer. */
  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
    this.#unlisten()
    this.#bus.forget(instancesGroup, this.#own().id)
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#stopped) return
    this.#looking = true
    const own = this.#own()
    this.#bus.keep(instancesGroup, own.id, JSON.stringify(own), keptForMs)
    const kept = await this.#bus.kept(instancesGroup)
    this.#looking = false
    this.#isPartial = kept === undefined
    const running = [...(kept?.values() ?? [])].flatMap(read)
    this.#others = running.filter(({ id }) => id !== own.id)
  }
}

/** What no instance of this version wrote is left out. */
function read(text: string): RunningInstance[] {
  try {
    const instance = runningSchema.safeParse(JSON.parse(text))
    return instance.success ? [instance.data] : []
  } catch {
    return [] // no JSON
  }
}
