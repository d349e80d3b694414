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
