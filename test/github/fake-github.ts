/** As much of GitHub's REST API as issues need, on loopback, with its ways of refusing. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

export interface FakeIssue {
  number: number
  title: string
  state: 'open' | 'closed'
  state_reason: string | null
  body: string | null
  labels: { name: string }[]
  comments: string[]
  pull_request?: object
}

export interface Refusal {
  status: number
  headers?: Record<string, string>
  body?: string
  /** The connection is cut instead. */
  cut?: boolean
}

export interface FakeGitHub extends AsyncDisposable {
  url: string
  issues: FakeIssue[]
  /** 'POST /repos/o/r/issues', in their order. */
  requests: string[]
  tokens: Set<string | undefined>
  /** Answered in place of the next requests whose method and path begin so. */
  refuse(what: string, ...refusals: Refusal[]): void
}

/** GitHub gives at most 100 a page; fewer make more pages. */
export async function openFakeGitHub(repository: string, pageMax = 100): Promise<FakeGitHub> {
  const issues: FakeIssue[] = []
  const requests: string[] = []
  const tokens = new Set<string | undefined>()
  const refusals: { what: string; refusal: Refusal }[] = []
  const base = `/repos/${repository}`

  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const url = new URL(request.url!, address())
      const what = `${request.method} ${url.pathname}`
      requests.push(what)
      tokens.add(request.headers.authorization)
      const at = refusals.findIndex((one) => what.startsWith(one.what))
      if (at !== -1) return refuse(response, refusals.splice(at, 1)[0]!.refusal)
      answer(response, request.method!, url, body)
    })
  })
  const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  function answer(response: ServerResponse, method: string, url: URL, body: Partial<FakeIssue> & { labels?: unknown; body?: string }): void {
    const path = url.pathname
    if (method === 'GET' && path === `${base}/issues`) return list(response, url)
    if (method === 'POST' && path === `${base}/issues`) return send(response, 201, add({ title: body.title!, body: body.body!, labels: names(body.labels) }))
    const [, number, comments] = new RegExp(`^${base}/issues/(\\d+)(/comments)?$`).exec(path) ?? []
    const issue = issues.find((one) => one.number === Number(number))
    if (!issue) return send(response, 404, { message: 'Not Found' })
    if (comments !== undefined) issue.comments.push(body.body!)
    else Object.assign(issue, body, body.labels === undefined ? {} : { labels: names(body.labels) }, body.state === 'open' ? { state_reason: 'reopened' } : {})
    send(response, comments === undefined ? 200 : 201, issue)
  }

  function list(response: ServerResponse, url: URL): void {
    const [state, label] = [url.searchParams.get('state') ?? 'open', url.searchParams.get('labels')]
    const per = Math.min(Number(url.searchParams.get('per_page') ?? 30), pageMax)
    const page = Number(url.searchParams.get('page') ?? 1)
    const found = issues.filter((one) => (state === 'all' || one.state === state) && (label === null || one.labels.some(({ name }) => name === label)))
    if (page * per < found.length) {
      url.searchParams.set('page', String(page + 1))
      response.setHeader('link', `<${url.href}>; rel="next", <${address()}/last>; rel="last"`)
    }
    send(response, 200, found.slice((page - 1) * per, page * per))
  }

  function add(given: { title: string; body: string; labels: { name: string }[] }): FakeIssue {
    const issue: FakeIssue = { ...given, number: issues.length + 1, state: 'open', state_reason: null, comments: [] }
    issues.push(issue)
    return issue
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: address(),
    issues,
    requests,
    tokens,
    refuse: (what, ...all) => void refusals.push(...all.map((refusal) => ({ what, refusal }))),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function names(labels: unknown): { name: string }[] {
  return (labels as string[] | undefined)?.map((name) => ({ name })) ?? []
}

async function bodyOf(request: IncomingMessage): Promise<Partial<FakeIssue> & { body?: string }> {
  let text = ''
  for await (const part of request) text += String(part)
  return text === '' ? {} : (JSON.parse(text) as Partial<FakeIssue> & { body?: string })
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function refuse(response: ServerResponse, { status, headers = {}, body = '{"message": "No."}', cut }: Refusal): void {
  if (cut) return void response.socket?.destroy()
  response.writeHead(status, headers)
  response.end(body)
}
