/** One run of one scenario on one server, in a process of its own: the load's work and memory are nobody else's. */

import type { Figures, Scale, Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { type ServerName, startServer } from './servers.ts'

export async function runOne(scenario: Scenario, name: ServerName, scale: Scale): Promise<Figures> {
  const server = await startServer(name, scenario.settings)
  try {
    return await scenario.run(server, scale)
  } finally {
    await server.stop()
  }
}

if (process.send) {
  const [scenarioName, serverName, scale] = process.argv.slice(2)
  const scenario = scenarios.find(({ name }) => name === scenarioName)
  if (!scenario) throw new Error(`no scenario ${scenarioName}`)
  process.send(await runOne(scenario, serverName as ServerName, scale as Scale))
  process.exit(0)
}
