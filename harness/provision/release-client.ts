import { createWriteStream } from 'node:fs'
import { stat, truncate } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { EnvHttpProxyAgent, interceptors, request, type Dispatcher } from 'undici'

/** All in milliseconds. */
export interface DownloadLimits {
  connectMs: number
  /** From the first request to the first answer of any kind; beyond it there is no network. */
  reachMs: number
  /** From a later request to its answer. */
  answerMs: number
  /** Without one more byte of a body. */
  stallMs: number
  /** Everything together. */
  overallMs: number
}

export const usualLimits: DownloadLimits = {
  connectMs: 3_000,
  reachMs: 4_500,
  answerMs: 15_000,
  stallMs: 15_000,
  overallMs: 600_000,
}

/** Why something could not be downloaded; `message` is one clause. */
export class DownloadFailed extends Error {
  override readonly name = 'DownloadFailed'
  /** 'unreachable': there was no answer at all; 'broken': worth another try; 'refused': not. */
  readonly kind: 'unreachable' | 'not-found' | 'broken' | 'refused'

  constructor(kind: DownloadFailed['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

export interface ReleaseClient {
  /** A small text file; at most `textMaxBytes`. */
  text(url: string): Promise<string>
  /**
   * Appends to `file` what it lacks, or starts it anew where the server does not continue. Returns
   * whether it continued. `etag` is of the answer that the first part came from.
   */
  continueFile(
    url: string,
    file: string,
    etag: string | null,
    onStart: (start: FileStart) => void,
  ): Promise<boolean>
}

export interface FileStart {
  offset: number
  totalBytes: number | null
  etag: string | null
}

type Answer = Dispatcher.ResponseData

const textMaxBytes = 8_000_000
const fileMaxBytes = 1_000_000_000

/** A client for one set-up: proxies from `env`, redirects followed, every wait limited. */
export function openReleaseClient(
  env: NodeJS.ProcessEnv,
  limits: DownloadLimits,
  cancelled?: AbortSignal,
): ReleaseClient {
  const dispatcher = new EnvHttpProxyAgent({
    ...proxiesOf(env),
    connect: { timeout: limits.connectMs },
    headersTimeout: limits.answerMs,
    bodyTimeout: limits.stallMs,
  }).compose(interceptors.redirect({ maxRedirections: 5 }))
  const overall = AbortSignal.timeout(limits.overallMs)
  const startedAt = performance.now()
  let answered = false

  async function get(
    url: string,
    headers: Record<string, string>,
    watchdog: Watchdog,
  ): Promise<Answer> {
    const leftToReachMs = limits.reachMs - (performance.now() - startedAt)
    watchdog.restart(answered ? limits.answerMs : Math.max(leftToReachMs, 1))
    try {
      const answer = await request(url, {
        dispatcher,
        signal: watchdog.signal,
        headers: { ...headers, 'user-agent': 'durable-streams-production-simulator' },
      })
      answered = true
      watchdog.restart(limits.stallMs)
      return answer
    } catch (error) {
      cancelled?.throwIfAborted()
      throw new DownloadFailed(
        answered ? 'broken' : 'unreachable',
        `${hostOf(url)} ${reasonOf(error, watchdog)}`,
      )
    }
  }

  return {
    async text(url) {
      using watchdog = openWatchdog(overall, cancelled)
      const answer = await get(url, { accept: 'application/json, text/plain, */*' }, watchdog)
      await refuseStatus(answer, url, [200])
      return readText(answer, url, watchdog, cancelled)
    },
    async continueFile(url, file, etag, onStart) {
      using watchdog = openWatchdog(overall, cancelled)
      const have = await sizeOf(file)
      const answer = await get(url, have > 0 ? rangeHeaders(have, etag) : {}, watchdog)
      const start = await startOfFile(answer, url, file, have)
      onStart(start)
      await writeBody(answer, file, start, url, watchdog, cancelled)
      return start.offset > 0
    },
  }
}

// --- one answer -----------------------------------------------------------------------------

/** Where in the file an answer's body belongs. Throws where it is no body of the file. */
async function startOfFile(
  answer: Answer,
  url: string,
  file: string,
  have: number,
): Promise<FileStart> {
  if (answer.statusCode === 416) {
    await answer.body.dump()
    await truncate(file, 0)
    throw new DownloadFailed('broken', `${hostOf(url)} has no more of the file than was kept`)
  }
  await refuseStatus(answer, url, [200, 206])
  await refuseWebPage(answer, url)
  return startOf(answer, have, url)
}

function rangeHeaders(offset: number, etag: string | null): Record<string, string> {
  // A weak tag promises no equal bytes, and must not be sent (RFC 9110, 13.1.5).
  const condition = etag !== null && !etag.startsWith('W/') ? { 'if-range': etag } : {}
  return { range: `bytes=${offset}-`, ...condition }
}

async function refuseStatus(answer: Answer, url: string, wanted: number[]): Promise<void> {
  if (wanted.includes(answer.statusCode)) return
  await answer.body.dump()
  const status = answer.statusCode
  if (status === 404)
    throw new DownloadFailed('not-found', `${hostOf(url)} has no ${fileOf(url)} (404)`)
  const kind = status >= 500 ? 'broken' : 'refused'
  const hint = status === 403 || status === 429 ? ', perhaps for too many requests' : ''
  throw new DownloadFailed(kind, `${hostOf(url)} answered ${status} for ${fileOf(url)}${hint}`)
}

async function refuseWebPage(answer: Answer, url: string): Promise<void> {
  if (!isWebPage(answer)) return
  await answer.body.dump()
  throw webPage(url)
}

function isWebPage(answer: Answer): boolean {
  return String(answer.headers['content-type'] ?? '').startsWith('text/html')
}

function webPage(url: string): DownloadFailed {
  return new DownloadFailed(
    'refused',
    `${hostOf(url)} answered a web page instead of ${fileOf(url)} (a proxy's?)`,
  )
}

function startOf(answer: Answer, have: number, url: string): FileStart {
  const etag = answer.headers['etag'] === undefined ? null : String(answer.headers['etag'])
  const length = Number(answer.headers['content-length'] ?? NaN)
  if (answer.statusCode === 200) {
    return { offset: 0, totalBytes: Number.isFinite(length) ? length : null, etag }
  }
  const [, first, total] =
    /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(String(answer.headers['content-range'] ?? '')) ?? []
  if (Number(first) !== have) {
    answer.body.destroy()
    throw new DownloadFailed(
      'broken',
      `${hostOf(url)} sent another part of ${fileOf(url)} than was asked for`,
    )
  }
  return {
    offset: have,
    totalBytes: total === undefined || total === '*' ? null : Number(total),
    etag,
  }
}

async function readText(
  answer: Answer,
  url: string,
  watchdog: Watchdog,
  cancelled?: AbortSignal,
): Promise<string> {
  const parts: Buffer[] = []
  try {
    for await (const part of watched(answer.body, watchdog, textMaxBytes)) parts.push(part)
  } catch (error) {
    cancelled?.throwIfAborted()
    throw new DownloadFailed('broken', `${hostOf(url)} ${reasonOf(error, watchdog)}`)
  }
  const text = Buffer.concat(parts).toString('utf8')
  if (isWebPage(answer) || text.trimStart().startsWith('<')) throw webPage(url)
  return text
}

async function writeBody(
  answer: Answer,
  file: string,
  start: FileStart,
  url: string,
  watchdog: Watchdog,
  cancelled?: AbortSignal,
): Promise<void> {
  const flags = start.offset > 0 ? 'a' : 'w'
  try {
    await pipeline(watched(answer.body, watchdog, fileMaxBytes), createWriteStream(file, { flags }))
  } catch (error) {
    cancelled?.throwIfAborted()
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new DownloadFailed('refused', `the disk of ${file} is full`)
    throw new DownloadFailed('broken', `${hostOf(url)} ${reasonOf(error, watchdog)}`)
  }
  const size = await sizeOf(file)
  if (start.totalBytes !== null && size < start.totalBytes) {
    throw new DownloadFailed('broken', `${hostOf(url)} sent ${size} of ${start.totalBytes} bytes`)
  }
}

async function* watched(
  body: AsyncIterable<Buffer>,
  watchdog: Watchdog,
  bytesMax: number,
): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const part of body) {
    watchdog.kick()
    bytes += part.length
    if (bytes > bytesMax) throw new Error(`sent more than ${bytesMax} bytes`)
    yield part
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    (found) => found.size,
    () => 0,
  )
}

// --- limits and words -----------------------------------------------------------------------

interface Watchdog extends Disposable {
  signal: AbortSignal
  /** The limit that ran out, if one did. */
  expiredMs: number | null
  restart(limitMs: number): void
  kick(): void
}

/** Aborts when nothing has kicked it for the limit of the moment. */
function openWatchdog(overall: AbortSignal, cancelled: AbortSignal | undefined): Watchdog {
  const controller = new AbortController()
  const signals = [controller.signal, overall, ...(cancelled ? [cancelled] : [])]
  let timer: NodeJS.Timeout | undefined
  const watchdog: Watchdog = {
    signal: AbortSignal.any(signals),
    expiredMs: null,
    restart(limitMs) {
      clearTimeout(timer)
      timer = setTimeout(() => {
        watchdog.expiredMs = Math.round(limitMs)
        controller.abort()
      }, limitMs)
    },
    kick: () => void timer?.refresh(),
    [Symbol.dispose]: () => clearTimeout(timer),
  }
  return watchdog
}

function reasonOf(error: unknown, watchdog: Watchdog): string {
  if (watchdog.expiredMs !== null)
    return `was silent for ${(watchdog.expiredMs / 1_000).toFixed(1)} s`
  if (watchdog.signal.aborted) return 'took longer than the time limit for all of the download'
  const { code, message } = error as NodeJS.ErrnoException
  return (
    (
      {
        ENOTFOUND: 'is not a known name here (no network?)',
        EAI_AGAIN: 'could not be looked up (no network?)',
        ECONNREFUSED: 'refused the connection',
        UND_ERR_CONNECT_TIMEOUT: 'did not accept a connection in time',
        UND_ERR_SOCKET: 'cut the connection',
        ECONNRESET: 'cut the connection',
      } as Record<string, string>
    )[code ?? ''] ?? `failed (${code ?? message})`
  )
}

function hostOf(url: string): string {
  return new URL(url).host
}

function fileOf(url: string): string {
  return new URL(url).pathname.split('/').slice(-2).join('/')
}

function proxiesOf(env: NodeJS.ProcessEnv): {
  httpProxy?: string
  httpsProxy?: string
  noProxy?: string
} {
  const httpProxy = env['http_proxy'] ?? env['HTTP_PROXY']
  const httpsProxy = env['https_proxy'] ?? env['HTTPS_PROXY']
  const noProxy = env['no_proxy'] ?? env['NO_PROXY']
  return {
    ...(httpProxy && { httpProxy }),
    ...(httpsProxy && { httpsProxy }),
    ...(noProxy && { noProxy }),
  }
}
