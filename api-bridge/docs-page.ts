/**
 * The OpenAPI document as a page to read: every call with what it takes and answers, and a curl line to copy. Plain HTML
 * without scripts: people, agents and text browsers get the same, and it asks no other host for anything.
 */

import type { ApiDocument, Operation } from './open-api-document.ts'
import type { Schema } from './open-api-schemas.ts'

interface Call {
  method: string
  path: string
  operation: Operation
}

export function docsPage(api: ApiDocument): string {
  const calls = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Call => ({ method: method.toUpperCase(), path, operation })),
  )
  const named = api.components.schemas
  const sections = api.tags.map(({ name, description }) => {
    const own = calls.filter(({ operation }) => operation.tags.includes(name))
    return own.length === 0
      ? ''
      : `<h2 id="${text(name)}">${text(name)}</h2><p>${text(description)}</p>${own.map(call => section(call, named)).join('')}`
  })
  const statuses = new Map(
    calls.flatMap(({ operation }) => sharedAnswers(operation).map(([status, name]) => [name, status])),
  )
  const refusals = Object.entries(api.components.responses).map(
    ([name, { description }]) =>
      `<h3 id="refusal-${text(name)}"><code>${statuses.get(name)}</code> ${text(name)}</h3><ul>${points(description)}</ul>`,
  )
  const schemas = Object.entries(named).map(
    ([name, schema]) =>
      `<details id="schema-${text(name)}"><summary>${text(name)}</summary><pre>${text(JSON.stringify(schema, null, 2))}</pre></details>`,
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<link rel="icon" href="data:,"><title>${text(api.info.title)} API</title><style>${style}</style></head><body>
<h1>${text(api.info.title)} API <small>${text(api.info.version)}</small></h1>
${paragraphs(api.info.description)}
<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
<nav>${calls.map(({ method, path, operation }) => `<a href="#${operation.operationId}"><code>${method} ${text(path)}</code> ${text(operation.summary)}</a>`).join('')}</nav>
${sections.join('\n')}<h2>refusals</h2>${refusals.join('\n')}<h2>schemas</h2>${schemas.join('\n')}</body></html>
`
}

type NamedSchemas = Readonly<Record<string, Schema>>

function section(call: Call, named: NamedSchemas): string {
  const { method, path, operation } = call
  const { parameters, responses } = operation
  const rows = parameters.map(
    ({ name, in: where, required, description }) =>
      `<tr><td><code>${text(name)}</code></td><td>${where}${required ? '' : ', optional'}</td><td>${marked(description ?? '')}</td></tr>`,
  )
  const answers = Object.entries(responses).flatMap(([status, answer]) => {
    if ('$ref' in answer && answer.description === undefined) return []
    const types = '$ref' in answer ? [] : Object.entries(answer.content ?? {}).map(kind)
    return [
      `<tr><td><code>${status}</code></td><td>${marked(answer.description ?? '')}</td><td>${types.join(' ')}</td></tr>`,
    ]
  })
  const explanation = [operation.description, askedFor(operation)].filter(part => part !== undefined).join('\n\n')
  const shared = sharedAnswers(operation).map(([status, name]) => `<a href="#refusal-${text(name)}">${status}</a>`)
  return `<section id="${operation.operationId}"><h3><code>${method} ${text(path)}</code></h3>
<p><b>${text(operation.summary)}</b></p>${paragraphs(explanation)}
<pre>${text(curlOf(call, named))}</pre>
${rows.length > 0 ? `<table>${rows.join('')}</table>` : ''}<table>${answers.join('')}</table>
<p>What helps where it is refused: ${shared.join(' ')}</p></section>`
}

/** Undefined: any credential will do. */
function askedFor({ security }: Operation): string | undefined {
  if (security === undefined) return undefined
  const [role] = security.flatMap(Object.values).flat()
  return role === undefined ? 'Takes no credential.' : `Takes the role \`${role}\` on the board.`
}

/** The answers that it shares with other calls: the status, and the name of what is shared. */
const sharedAnswers = ({ responses }: Operation): [status: string, name: string][] =>
  Object.entries(responses).flatMap(([status, answer]) => ('$ref' in answer ? [[status, nameOf(answer)]] : []))

/** Works as it stands against a server on this machine, where ids are put in. */
function curlOf({ method, path, operation }: Call, named: NamedSchemas): string {
  const address = `http://localhost:8080${path.replace('{board}', 'demo').replaceAll(/\{(\w+)\}/g, '<$1>')}`
  const [type, body] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
  if (type === undefined) return `curl ${method === 'GET' ? '' : `-X ${method} `}'${address}'`
  const sent = type.endsWith('json')
    ? `-d '${exampleOf(operation, body?.schema, named)}'`
    : '--data-binary @picture.png'
  return `curl -X ${method} '${address}' \\\n  -H 'content-type: ${type}' \\\n  ${sent}`
}

function exampleOf({ operationId }: Operation, sent: Schema | undefined, named: NamedSchemas): string {
  const schema = named[nameOf(sent)] ?? sent
  const example = operationId === 'importFile' ? '@board.tldr' : (schema?.examples?.[0] ?? {})
  return typeof example === 'string' ? example : JSON.stringify(example).replaceAll("'", "'\\''")
}

function kind([type, { schema }]: [string, { schema: Schema }]): string {
  const name = nameOf(schema)
  return name ? `${text(type)} <a href="#schema-${text(name)}">${text(name)}</a>` : text(type)
}

/** What a schema or an answer refers to; '' where it refers to nothing. */
const nameOf = (referring: { $ref?: string } | undefined): string => referring?.$ref?.split('/').at(-1) ?? ''

const paragraphs = (markdown: string): string =>
  markdown
    .split(/\n\n+/)
    .map(part => `<p>${marked(part)}</p>`)
    .join('')

const points = (markdown: string): string =>
  markdown
    .split('\n')
    .map(point => `<li>${marked(point.replace(/^- /, ''))}</li>`)
    .join('')

const marked = (markdown: string): string => text(markdown).replaceAll(/`([^`]+)`/g, '<code>$1</code>')

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const text = (plain: string): string => plain.replaceAll(/[&<>"]/g, char => escapes[char] ?? char)

const style = `:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}
a{color:light-dark(#2f4ac0,#8fa5ff)}
pre{background:#8882;padding:.75rem;overflow:auto;border-radius:.5rem;overflow-wrap:normal}nav a{display:block;text-decoration:none}
table{border-collapse:collapse;margin:.5rem 0}td{padding:.2rem .8rem .2rem 0;vertical-align:top}td:first-child{white-space:nowrap}
@media(min-width:40rem){td{overflow-wrap:break-word}}section{margin:2.5rem 0}`
