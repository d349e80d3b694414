/** `npm run bench`. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Figures } from './scenario.ts'

const one = (...args: string[]) =>
  new Promise<Figures>((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('run-one.ts', import.meta.url)), args, { execArgv: ['--import', 'tsx'] })
    child.once('message', resolve as never)
    child.once('exit', code => reject(new Error(`ended ${code}`)))
  })
const [scenario, scale, ...servers] = process.argv.slice(2)
for (const server of servers)
  console.log(server, JSON.stringify(await one(scenario!, server, scale!).catch(e => ({ error: String(e) }))))
process.exit(0)
