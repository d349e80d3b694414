import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

test('traffic is told as it stands whenever it is asked for', async () => {
  const { traffic, registry } = createMetrics()
  const told = async () => (await registry.metrics()).match(/^boardsync_(frames|bytes)_(in|out)_total .*$/gm)
  traffic.framesIn += 2
  traffic.bytesIn += 300
  traffic.bytesOut += 7
  expect(await told()).toEqual([
    'boardsync_frames_in_total 2',
    'boardsync_bytes_in_total 300',
    'boardsync_frames_out_total 0',
    'boardsync_bytes_out_total 7',
  ])
  traffic.framesIn += 1
  traffic.framesOut += 1
  expect(await told()).toEqual([
    'boardsync_frames_in_total 3',
    'boardsync_bytes_in_total 300',
    'boardsync_frames_out_total 1',
    'boardsync_bytes_out_total 7',
  ])
})
