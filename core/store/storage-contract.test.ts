/** What storage promises, held to on every database it runs on. The rules themselves are in `test/storage/`. */

import { afterAll, beforeAll, describe } from 'vitest'
import { releasing } from '../../test/kit/releasing.ts'
import { archiveCases } from '../../test/storage/archive-cases.ts'
import { assetCases } from '../../test/storage/asset-cases.ts'
import { corruptionCases } from '../../test/storage/corruption-cases.ts'
import { directoryCases } from '../../test/storage/directory-cases.ts'
import { endingCases } from '../../test/storage/ending-cases.ts'
import { growthCases } from '../../test/storage/growth-cases.ts'
import { lockedRowCases } from '../../test/storage/locked-row-cases.ts'
import { logCases } from '../../test/storage/log-cases.ts'
import { manyWritersCases } from '../../test/storage/many-writers-cases.ts'
import { outboxCases } from '../../test/storage/outbox-cases.ts'
import { previousVersionCases } from '../../test/storage/previous-version-cases.ts'
import { quarantineCases } from '../../test/storage/quarantine-cases.ts'
import { restoreCases } from '../../test/storage/restore-cases.ts'
import { embeddedSite, postgresSite, type SharedSite, type Site } from '../../test/storage/site.ts'

const use = releasing(afterAll)
let embedded: Site
let postgres: SharedSite

beforeAll(async () => {
  embedded = use(await embeddedSite())
  postgres = use(await postgresSite())
})

describe.each([
  ['the embedded database', () => embedded],
  ['a Postgres server', () => postgres],
])('storage on %s', (_name, site: () => Site) => {
  logCases(site)
  archiveCases(site)
  corruptionCases(site)
  quarantineCases(site)
  outboxCases(site)
  directoryCases(site)
  endingCases(site)
  previousVersionCases(site)
  restoreCases(site)
  growthCases(site)
  assetCases(site)
})

describe('storage on a Postgres server that instances share', () => {
  lockedRowCases(() => postgres)
  manyWritersCases(() => postgres)
})
