/**
 * A person's seven tabs: each holds a live read, then the last one appends. Over HTTP/1.1 a browser
 * opens six connections to a host, so the seventh waits for ever; over HTTP/2 one connection carries
 * all. Done over HTTP/1.1 as well, it shows that the measurement can be red.
 */
import { withPages, type OpenPage, type Pages } from '../browser/open-pages.ts'
import type { probe } from '../browser/page-program.ts'
import { monotonicMs } from '../clock.ts'
import type { Via } from '../history.ts'
import { urlByName } from '../operations.ts'
import type { Interpreter, StepContext } from '../step.ts'
import { settlesWithin } from '../until.ts'
import { newStream } from './create-streams.ts'

export interface PageTabs {
  kind: 'page-tabs'
  via: Via[]
  tabs: number
}

/** By each way so many tabs, one after another; a stream each, so that no tab waits for another's answer. */
export function pageTabs(options: Omit<PageTabs, 'kind'>): PageTabs {
  return { kind: 'page-tabs', ...options }
}

/** For all tabs but the last: that many connections there are. */
const othersMs = 15_000
/** For the last one. If it is held, it is until another one is closed. */
const waitMs = 5_000

/** What came to nothing is no answer. */
const never = new Promise<void>(() => {})

export const pageTabsInterpreter: Interpreter<PageTabs> = async (step, context) => {
  await withPages(context, 'Seven tabs were not opened', async (pages) => {
    for (const via of step.via) await openTabs(context, pages, via, step.tabs)
  })
}

async function openTabs(context: StepContext, pages: Pages, via: Via, tabs: number): Promise<void> {
  const window = await pages.window()
  const urls = await Promise.all(Array.from({ length: tabs }, (_, n) => streamUrl(context, via, n)))
  const opened = await inTurn(urls, () => pages.open(window))
  const protocol = protocolOf(opened[0]!)
  // Loading the page took connections of its own host only.
  const reads = opened.map(({ page }, n) => page.evaluate(openLive, `${urls[n]!}?live=sse&offset=-1`).catch(() => never))
  const others = await Promise.all(reads.slice(0, -1).map((read) => settlesWithin(read, othersMs)))
  const [last, appendMs] = await Promise.all([settlesWithin(reads.at(-1)!, waitMs), append(opened.at(-1)!, urls.at(-1)!)])
  const attached = [...others, last].filter(Boolean).length
  context.recorder.record({ kind: 'page-tabs', via, protocol: protocol(), tabs, attached, appendMs, waitMs })
  // Whatever still waits in its pages ends with it.
  await window.close()
}

async function inTurn<T, R>(items: T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await act(item))
  return results
}

async function streamUrl(context: StepContext, via: Via, n: number): Promise<string> {
  const kind = { id: 'tab', contentType: 'text/plain', records: 0, payloadBytes: 0 }
  const stream = newStream(context, kind, `tab-${via}-${n}`)
  await context.operations.create('creator', stream, 'origin', { streamKind: kind.id, contentType: kind.contentType })
  return `${urlByName(context.world.endpoint(via))}${stream.path}`
}

/** The protocol of the first answer from the hop. */
function protocolOf({ devtools }: OpenPage): () => string {
  let protocol = 'none'
  devtools.on('Network.responseReceived', ({ response }: { response: { url: string; protocol?: string } }) => {
    if (protocol === 'none' && response.url.includes('live=sse')) protocol = response.protocol ?? 'unknown'
  })
  return () => protocol
}

/** Runs in the page: resolves when the answer has begun, and goes on reading. */
async function openLive(url: string): Promise<void> {
  const { body } = await fetch(url)
  void body?.pipeTo(new WritableStream())
}

/** Null where no answer came in time. */
async function append({ page }: OpenPage, url: string): Promise<number | null> {
  const sentAtMs = monotonicMs()
  const answer = page.evaluate(runProbe, url).then((one) => ('status' in one ? undefined : never), () => never)
  return (await settlesWithin(answer, waitMs)) ? Math.round(monotonicMs() - sentAtMs) : null
}

/** Runs in the page. */
function runProbe(url: string): ReturnType<typeof probe> {
  const { program } = globalThis as unknown as { program: { probe: typeof probe } }
  return program.probe({ url, method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' })
}
