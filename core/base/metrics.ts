/** What this instance counts and measures, for `/metrics`. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

export function createMetrics() {
  const registry = new Registry()
  // Every look wakes the process: at the usual 10 ms that was half of what an idle server cost.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter<L>({ name, help, labelNames, registers })
  /** Of what is alerted on: told as 0 from the start, as the first count of a series is no increase to Prometheus. */
  const alarm = <L extends string>(name: string, help: string, label: L, values: readonly string[]) => {
    const alarmed = counter(name, help, [label])
    for (const value of values) alarmed.inc({ [label]: value } as Record<L, string>, 0)
    return alarmed
  }
  // Counted with every frame, and told only when it is asked for: a counter of the library costs more than reading the frame.
  const traffic = { framesIn: 0, bytesIn: 0, framesOut: 0, bytesOut: 0 }
  const total = (name: string, help: string, of: keyof typeof traffic) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(traffic[of])
      },
    })
  total('boardsync_frames_in_total', 'WebSocket frames received', 'framesIn')
  total('boardsync_bytes_in_total', 'Bytes of WebSocket frames received', 'bytesIn')
  total('boardsync_frames_out_total', 'WebSocket frames sent', 'framesOut')
  total('boardsync_bytes_out_total', 'Bytes of WebSocket frames sent', 'bytesOut')
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers })
  return {
    registry,
    connections: gauge('boardsync_connections', 'Open WebSocket connections'),
    rooms: gauge('boardsync_rooms', 'Boards open in this process'),
    roomsShared: gauge('boardsync_rooms_shared', 'Those of them on which somebody is on another instance, too'),
    instances: gauge('boardsync_instances', 'Instances that run, this one included, as far as this one knows'),
    traffic,
    refusals: counter('boardsync_refusals_total', 'What was refused or ignored, by reason', ['reason']),
    roomDiscards: alarm(
      'boardsync_room_discards_total',
      'Evictions: rooms discarded with what was not committed, by reason',
      'reason',
      ['storage-unavailable', 'store-went-back', 'board-deleted'],
    ),
    itemChanges: counter('boardsync_item_changes_total', 'Item changes decided', ['status']),
    itemChangesFound: counter(
      'boardsync_item_changes_found_total',
      'Item changes decided, by how this instance learned of them: a message, or the sweep for what no message told of',
      ['by'],
    ),
    logLagSeconds: gauge('boardsync_log_lag_seconds', 'Age of the oldest edit that is not in the log yet'),
    commitSeconds: new Histogram({
      name: 'boardsync_commit_seconds',
      help: 'Duration of a group commit',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    snapshotSeconds: new Histogram({
      name: 'boardsync_snapshot_seconds',
      help: 'Duration of writing a snapshot',
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
      registers,
    }),
    corruptions: alarm(
      'boardsync_corruptions_total',
      'Stored bytes found damaged and put into quarantine, by kind',
      'kind',
      ['snapshot', 'row', 'history'],
    ),
    snapshotBytes: counter('boardsync_snapshot_bytes_total', 'Bytes of board states written as snapshots'),
  }
}
