import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

test('traffic is told as it stands whenever it is asked for', async () => {
  const { traffic, registry } = createMetrics()
  const told = async () => {
    const lines = (await registry.metrics()).matchAll(/^boardsync_(.*_(?:in|out))_total (.*)$/gm)
    return Object.fromEntries([...lines].map(([, name, value]) => [name, value]))
  }
  traffic.framesIn += 2
  traffic.bytesIn += 300
  traffic.bytesOut += 7
  expect(await told()).toEqual({ frames_in: '2', bytes_in: '300', frames_out: '0', bytes_out: '7' })
  traffic.framesIn += 1
  traffic.framesOut += 1
  expect(await told()).toEqual({ frames_in: '3', bytes_in: '300', frames_out: '1', bytes_out: '7' })
})

test('evictions are found under that word', async () => {
  expect(await createMetrics().registry.metrics()).toMatch(/^# HELP boardsync_room_discards_total Evictions:/m)
})

test('what is alerted on is told from the start', async () => {
  const told = await createMetrics().registry.metrics()
  for (const reason of ['storage-unavailable', 'store-went-back', 'board-deleted']) {
    expect(told).toContain(`boardsync_room_discards_total{reason="${reason}"} 0`)
  }
  for (const kind of ['snapshot', 'row', 'history']) {
    expect(told).toContain(`boardsync_corruptions_total{kind="${kind}"} 0`)
  }
})
