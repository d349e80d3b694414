/** The load's own process: one run of one scenario on one server, so that neither work nor memory is another run's. */
import type { Scale } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import { type ServerName, startServer } from './servers.ts'

const [scenarioName, serverName, scale] = process.argv.slice(2)
const scenario = scenarios.find(({ name }) => name === scenarioName)
if (!scenario) throw new Error(`no scenario ${scenarioName}`)
const server = await startServer(serverName as ServerName, scenario.settings)
try {
  process.send?.(await scenario.run(server, scale as Scale))
} finally {
  await server.stop()
}
process.exit(0)
