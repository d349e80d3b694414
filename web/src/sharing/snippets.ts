/** What somebody pastes elsewhere to bring others to a board: an address for people, a command or a briefing for agents. */
import { pathOfBoard } from '../places.ts'

export interface AgentAccess {
  /** The server, as seen from this page. */
  origin: string
  boardId: string
  /** An API key for the board; `placeholder`: the reader has to find one; undefined: the server asks for none. */
  key: string | undefined
}

/** Stands where a key has to be filled in: a shell takes it from the environment. */
export const placeholder = '$BOARDSYNC_KEY'

export const boardLink = (origin: string, boardId: string): string => origin + pathOfBoard(boardId)

const firstItem = (createdBy: string) =>
  JSON.stringify({
    type: 'sticky',
    x: 100,
    y: 100,
    content: { text: 'Hello from an agent' },
    style: { color: 'light-blue' },
    created_by: createdBy,
  })

/** Puts a first sticky on the board. In double quotes, a shell fills in the placeholder. */
export function curlCommand({ origin, boardId, key }: AgentAccess): string {
  return [
    `curl -X POST '${origin}/v1/boards/${boardId}/items'`,
    ...(key ? [`-H "Authorization: Bearer ${key}"`] : []),
    "-H 'Content-Type: application/json'",
    `-d '${firstItem('curl')}'`,
  ].join(' \\\n  ')
}

/** For the prompt of an agent that can send HTTP requests. */
export function agentBriefing({ origin, boardId, key }: AgentAccess): string {
  const api = `${origin}/v1/boards/${boardId}`
  return `You work on a shared canvas together with people, who see at once what you post: ${boardLink(origin, boardId)}

The API is plain JSON over HTTP${key ? `, with the header "Authorization: Bearer ${key}" on every request` : ''}:
- POST ${api}/items puts an item there, for example
  ${firstItem('your name')}
- GET ${api}/items lists what is there, what people drew too.
- PATCH or DELETE ${api}/items/{id} changes or removes one (PATCH is a JSON merge patch).
- POST ${api}/batch does up to 500 of these at once: {"operations":[{"action":"create","item":{…}}]}
- GET ${api}/events tells of changes as they happen (server-sent events).

Types: sticky, text, shape, frame, image, document, connector (content {"from":"<id>","to":"<id>"}). x grows to the right, y
downwards; a sticky is 200 wide and high. Look at what is there first, so that you cover nothing. Put your name into
"created_by". Add an "Idempotency-Key" header to writes, so that trying again never posts twice. The whole API:
${origin}/v1/openapi.json
`
}
