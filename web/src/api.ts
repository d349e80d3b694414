/** Asks the server's REST API, as whoever is signed in here. Refusals come as errors that can be shown to people. */

export const unreachable = 'The server cannot be reached.'

export class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

interface Asking {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** A file goes as it is, anything else as JSON. */
  body?: object | File
  signal?: AbortSignal
}

/**
 * @param path behind `/v1`
 * @returns the answer's JSON; undefined where it has none
 * @throws Refusal when the server says no, or says nothing (`status` 0)
 */
export async function api<T>(path: string, { method = 'GET', body, signal }: Asking = {}): Promise<T> {
  const init = { method, ...(signal && { signal }) }
  const content = body && contentOf(body)
  let answer: Response
  try {
    answer = await fetch(`/v1${path}`, { ...init, ...content })
  } catch (cause) {
    signal?.throwIfAborted()
    // What a browser says of it ("Failed to fetch") tells people nothing.
    console.warn('boardsync: the server cannot be reached:', cause)
    throw new Refusal(0, unreachable)
  }
  if (answer.status === 204) return undefined as T
  if (answer.ok) return (await answer.json()) as T
  throw new Refusal(answer.status, await reasonIn(answer))
}

const contentOf = (body: object | File) =>
  body instanceof File
    ? { headers: { 'content-type': body.type }, body }
    : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }

async function reasonIn(answer: Response): Promise<string> {
  // A proxy on the way answers with no JSON: the status has to do then.
  const problem: unknown = await answer.json().catch(() => undefined)
  const { title, detail } = (problem ?? {}) as { title?: string; detail?: string }
  if (answer.status === 403) return 'You have no right to do that on this board.'
  return title ? sentence(title, detail) : `The server answered ${answer.status}.`
}

/** Many a detail is the title again, with more to it. */
function sentence(title: string, detail = ''): string {
  const isRepeated = detail.toLowerCase().startsWith(title.toLowerCase())
  const text = isRepeated ? title.charAt(0) + detail.slice(1) : detail ? `${title}: ${detail}` : title
  return /[.!?…]$/.test(text) ? text : `${text}.`
}
