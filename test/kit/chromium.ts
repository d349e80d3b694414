/** The Chromium that browser tests drive: this machine's own, else installed by apt where a test may do that. */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const programs = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome']
const applications = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** With a fresh profile, and silent: the browser itself asks no host for anything. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium() ?? installChromium(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  const candidates = folders.flatMap(folder => programs.map(name => join(folder, name)))
  // Ubuntu's chromium-browser may be a script that only says where to get the real one.
  return [...candidates, ...applications].find(path => existsSync(path) && spawnSync(path, ['--version']).status === 0)
}

function installChromium(): string {
  const byHand =
    process.platform === 'darwin'
      ? 'brew install --cask chromium'
      : 'sudo sh -c "apt-get update && apt-get install -y chromium"'
  const isOurs = process.getuid?.() === 0 && existsSync('/etc/debian_version')
  if (!isOurs) throw new Error(`the browser tests need Chromium on the PATH. Type: ${byHand}`)

  // Test files run side by side: the second one waits for the first one's installation, and then finds it.
  const lock = join(tmpdir(), 'boardsync-apt.lock')
  const install = 'command -v chromium || { apt-get update && apt-get install -y --no-install-recommends chromium; }'
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const ran = spawnSync('flock', [lock, 'sh', '-c', install], { env, encoding: 'utf8' })
  const found = findChromium()
  if (!found) throw new Error(`apt could not install Chromium. Type: ${byHand}\n${ran.error ?? ran.stderr}`)
  return found
}
