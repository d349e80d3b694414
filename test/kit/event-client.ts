/** A client of server-sent events that tells what it heard, byte for byte in order, and reads only when it is let. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { until } from './until.ts'

export interface HeardEvent {
  event: string
  id?: string
  data: Record<string, unknown>
}

export interface EventClient {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly events: HeardEvent[]
  /** Ids of blocks without data. */
  readonly openings: string[]
  /** How the stream ended, once it has: `end`, or that it was cut. */
  ended: 'end' | 'cut' | undefined
  /** The body of an answer that is no stream. */
  body: string
  /** Reads nothing more until {@link resume}. */
  pause(): void
  resume(): void
  /** Resolves when there are so many events. */
  heard(count: number): Promise<HeardEvent[]>
  stop(): void
}

export function listen(url: string, headers: Record<string, string> = {}): Promise<EventClient> {
  return new Promise((resolve, reject) => {
    const asked: ClientRequest = request(url, { headers, agent: false })
    asked.on('error', reject).on('response', answer => {
      let text = ''
      const client: EventClient = {
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        events: [],
        openings: [],
        ended: undefined,
        body: '',
        pause: () => answer.pause(),
        resume: () => answer.resume(),
        heard: async count => {
          await until(() => client.events.length >= count, { what: `${count} events` })
          return client.events
        },
        stop: () => asked.destroy(),
      }
      const isStream = String(answer.headers['content-type']).startsWith('text/event-stream')
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
        if (!isStream) client.body = text
        for (let end = text.indexOf('\n\n'); isStream && end >= 0; end = text.indexOf('\n\n')) {
          hear(client, text.slice(0, end))
          text = text.slice(end + 2)
        }
      })
      answer.on('end', () => {
        client.ended = 'end'
        if (!isStream) resolve(client)
      })
      answer.on('error', () => {
        client.ended = 'cut'
      })
      if (isStream) resolve(client)
    })
    asked.end()
  })
}

function hear({ events, openings }: EventClient, block: string): void {
  const fields = new Map(
    block.split('\n').map(line => [line.split(': ', 1)[0] ?? '', line.slice(line.indexOf(': ') + 2)]),
  )
  const [event, id, data] = [fields.get('event'), fields.get('id'), fields.get('data')]
  if (event && data) events.push({ event, ...(id !== undefined && { id }), data: JSON.parse(data) })
  else if (id) openings.push(id)
}
