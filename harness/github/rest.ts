/**
 * As much of GitHub's REST API as issues need: pages, limits of rate, and refusals that say what to mend.
 * The token goes to the API's own address and nowhere else.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { EnvHttpProxyAgent, fetch } from 'undici'
import { UsageError } from '../errors.ts'

export interface Request {
  method: 'GET' | 'POST' | 'PATCH'
  url: string
  headers: Record<string, string>
  body?: string
}

export interface Answer {
  status: number
  headers: { get(name: string): string | null }
  text: string
}

/** How a request is sent; throws where there was no answer. */
export type Transport = (request: Request) => Promise<Answer>

export interface RestOptions {
  /** 'https://api.github.com', or an enterprise's. */
  apiUrl: string
  token: string
  /** owner/name */
  repository: string
  transport?: Transport
  /** Waits, in ms; for tests. */
  wait?: (ms: number) => Promise<void>
}

export interface Repository {
  /** All pages of a list. */
  list(path: string, query: Record<string, string>): Promise<unknown[]>
  post(path: string, body: object): Promise<unknown>
  patch(path: string, body: object): Promise<unknown>
}

const requestMsMax = 30_000
const pagesMax = 50
const perPage = 100
const attemptsMax = 4
/** A night does not wait longer than this for its turn. */
const rateWaitMsMax = 120_000
/** GitHub asks for a minute where it does not say how long its second limit lasts. */
const rateWaitMsUsual = 60_000
/** GitHub asks for a second between two changes. */
const betweenChangesMs = 1_000

/** Throws UsageError where an option is wrong; sends nothing yet. */
export function openRepository(options: RestOptions): Repository {
  const base = baseOf(options)
  const { transport = overHttp(), wait = async (ms) => sleep(ms) } = options
  const headers = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28', 'user-agent': 'durable-streams-production-simulator', authorization: `Bearer ${options.token}` }
  let changes = 0

  const send = async (method: Request['method'], url: string, body?: object): Promise<Answer> => {
    const request: Request = { method, url, headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
    for (let attempt = 1; ; attempt += 1) {
      const answer = await sent(transport, request)
      if (answer !== null && answer.status < 300) return answer
      const waitMs = attempt >= attemptsMax ? null : waitOf(request, answer, attempt)
      if (waitMs === null) throw refusal(request, answer, options.repository)
      await wait(waitMs)
    }
  }
  const change = async (method: 'POST' | 'PATCH', path: string, body: object) => {
    changes += 1
    if (changes > 1) await wait(betweenChangesMs)
    return parsed(await send(method, `${base}${path}`, body), path)
  }

  return {
    async list(path, query) {
      const all: unknown[] = []
      let url: string | null = `${base}${path}?${new URLSearchParams({ ...query, per_page: String(perPage) }).toString()}`
      for (let page = 1; url !== null; page += 1) {
        if (page > pagesMax) throw new UsageError(`${options.repository} has more than ${pagesMax * perPage} issues with this label; close and unlabel the old ones.`)
        const answer = await send('GET', url)
        const items = parsed(answer, path)
        if (!Array.isArray(items)) throw new UsageError(`${new URL(url).host} did not answer with a list; is --api-url the address of GitHub's REST API?`)
        all.push(...(items as unknown[]))
        url = nextPage(answer.headers.get('link'), url)
      }
      return all
    },
    post: (path, body) => change('POST', path, body),
    patch: (path, body) => change('PATCH', path, body),
  }
}

function baseOf({ apiUrl, repository, token }: RestOptions): string {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) throw new UsageError(`--repository takes owner/name, not "${repository}".`)
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError('GITHUB_TOKEN holds something that is no token; give it as it was issued.')
  const url = URL.canParse(apiUrl) ? new URL(apiUrl) : null
  const isLoopback = url !== null && /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(url.hostname)
  if (url === null || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback))) {
    throw new UsageError(`--api-url takes the https address of GitHub's REST API, not "${apiUrl}": a token is not sent in the clear.`)
  }
  return `${apiUrl.replace(/\/+$/, '')}/repos/${repository}`
}

/** Null where no answer came. */
async function sent(transport: Transport, request: Request): Promise<Answer | null> {
  try {
    return await transport(request)
  } catch {
    return null
  }
}

/** How long to wait before another try; null where another one would be no better, or could do it twice. */
function waitOf({ method }: Request, answer: Answer | null, attempt: number): number | null {
  if (answer !== null && isRateLimit(answer)) {
    const waitMs = rateWait(answer)
    return waitMs <= rateWaitMsMax ? waitMs : null
  }
  // An issue that was opened without our hearing of it must not be opened again; the next night finds it.
  const isRepeatable = method !== 'POST'
  return isRepeatable && (answer === null || answer.status >= 500) ? 1_000 * 2 ** (attempt - 1) : null
}

function isRateLimit({ status, headers, text }: Answer): boolean {
  return status === 429 || (status === 403 && (headers.get('x-ratelimit-remaining') === '0' || headers.get('retry-after') !== null || /secondary rate limit/i.test(text)))
}

/** GitHub's own words first: `retry-after` in seconds, else the second in which the limit begins anew. */
function rateWait({ headers }: Answer): number {
  const seconds = Number(headers.get('retry-after') ?? NaN)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000)
  const reset = Number(headers.get('x-ratelimit-remaining') === '0' ? (headers.get('x-ratelimit-reset') ?? NaN) : NaN)
  if (Number.isFinite(reset)) return Math.max(0, reset * 1_000 - Date.now()) + 1_000
  return rateWaitMsUsual
}

/** Why GitHub did not do it, and what to mend. */
function refusal({ method, url }: Request, answer: Answer | null, repository: string): UsageError {
  const what = `${method} ${new URL(url).pathname}`
  if (answer === null) return new UsageError(`${new URL(url).host} did not answer ${what}; nothing more was changed. Try again.`)
  const said = saidBy(answer)
  if (isRateLimit(answer)) return new UsageError(`GitHub's limit of rate is used up (${what}: ${answer.status}${said}), and begins anew in ${Math.ceil(rateWait(answer) / 60_000)} min; the next night goes on where this one stopped.`)
  const remedies: Record<number, string> = {
    401: 'the token is not valid; give GITHUB_TOKEN one that is',
    403: `the token may not do this; the job needs "permissions: issues: write" in ${repository}`,
    404: `${repository} is not there for this token; is --repository right, and may the token read it`,
    410: `issues are switched off in ${repository}; switch them on, or leave out --apply`,
  }
  return new UsageError(`GitHub refused ${what} (${answer.status}${said}): ${remedies[answer.status] ?? 'see its message'}.`)
}

function saidBy({ text }: Answer): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return typeof message === 'string' ? `, ${JSON.stringify(message.slice(0, 200))}` : ''
  } catch {
    return ''
  }
}

function parsed({ text }: Answer, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`The answer to ${path} is no JSON; is --api-url the address of GitHub's REST API?`)
  }
}

/** RFC 8288, as GitHub sends it. Pages that lead elsewhere are not asked: the token would go with them. */
function nextPage(link: string | null, from: string): string | null {
  const next = /<([^>]+)>;\s*rel="next"/.exec(link ?? '')?.[1]
  if (next === undefined) return null
  if (!URL.canParse(next) || new URL(next).origin !== new URL(from).origin) throw new UsageError(`The next page of the list leads to another address (${next.slice(0, 200)}); it is not asked, because the token would go with it.`)
  return next
}

/** Through the proxies that the environment names. */
function overHttp(): Transport {
  const dispatcher = new EnvHttpProxyAgent()
  return async ({ method, url, headers, body }) => {
    const answer = await fetch(url, { method, headers, dispatcher, signal: AbortSignal.timeout(requestMsMax), ...(body === undefined ? {} : { body }) })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  }
}
