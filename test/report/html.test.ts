import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rowIds } from '../../harness/checklist.ts'
import { pageBytesMax, renderHtml } from '../../harness/report/html.ts'
import { style } from '../../harness/report/html/style.ts'
import type { Result, ScenarioResult } from '../../harness/report/result.ts'
import { arbitraryResult, arbitraryShape, hostileStrings, sampleResult } from './arbitrary-result.ts'

/** The page without its style sheet, whose text is ours alone. */
function body(result: Result): string {
  return renderHtml(result).replace(/<style>[^]*?<\/style>/, '')
}

describe('for any result', () => {
  test('nothing of it becomes markup, and nothing of it can act', () => {
    fc.assert(
      fc.property(arbitraryShape, (result) => {
        const text = body(result)
        expect(text.match(/<(script|img|style|iframe|object|embed|form|base)\b/i)).toBeNull()
        const unquoted = text.replace(/"[^"]*"/g, '""')
        expect(unquoted.match(/<[^>]*\son[a-z]+\s*=/i)).toBeNull()
        // oxlint-disable-next-line no-control-regex -- finding control characters is the point
        expect(text.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)).toBeNull()
      }),
      { numRuns: 40 },
    )
  })

  test('tags are balanced', () => {
    fc.assert(
      fc.property(arbitraryResult, (result) => {
        const text = body(result)
        for (const tag of ['section', 'div', 'table', 'ul', 'ol', 'li', 'svg', 'p', 'details', 'span']) {
          const opened = text.match(new RegExp(`<${tag}[\\s>]`, 'g'))?.length ?? 0
          expect(text.split(`</${tag}>`).length - 1, tag).toBe(opened)
        }
      }),
      { numRuns: 10 },
    )
  })

  test('no number in it is NaN or infinite', () => {
    fc.assert(
      fc.property(arbitraryResult, (result) => {
        const attributes = body(result).match(/\s(d|x|y|x1|x2|y1|y2|cx|cy|width|height)="[^"]*"/g) ?? []
        expect(attributes.filter((attribute) => /NaN|Infinity|undefined|e[+-]/.test(attribute))).toEqual([])
      }),
      { numRuns: 40 },
    )
  })

  test('ids are unique, and each link within the page leads somewhere', () => {
    fc.assert(
      fc.property(arbitraryResult, (result) => {
        const text = body(result)
        const ids = [...text.matchAll(/\sid="([^"]*)"/g)].map((match) => match[1])
        const links = [...text.matchAll(/\shref="#([^"]*)"/g)].map((match) => match[1])
        expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
        expect(links.filter((link) => !ids.includes(link))).toEqual([])
        expect(rowIds.filter((id) => !ids.includes(`row-${id}`))).toEqual([])
      }),
      { numRuns: 20 },
    )
  })
})

test('each hostile text is on the page as text', () => {
  const scenario = scenarioWith({ because: hostileStrings[0]!, why: hostileStrings[1]! })
  const text = renderHtml({ ...sampleResult(1), scenarios: [scenario] })
  expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(text).toContain('&lt;/style&gt;&lt;img src=x onerror=alert(1)&gt;')
})

test('the policy allows this style sheet and nothing else, from nowhere', () => {
  const text = renderHtml(sampleResult(1))
  const policy = text.match(/Content-Security-Policy" content="([^"]*)"/)![1]!.replaceAll('&#39;', "'")
  const inline = text.match(/<style>([^]*?)<\/style>/)![1]!
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain(`'sha256-${createHash('sha256').update(inline).digest('base64')}'`)
  expect(policy).not.toContain('unsafe')
  // What a text says inside of an attribute's quotes is no attribute.
  const tags = text.replaceAll(/"[^"]*"/g, '""')
  expect(tags).not.toMatch(/<[^>]*\sstyle=/)
  expect(tags).not.toMatch(/<[^>]*\ssrc=/)
  expect(style).not.toMatch(/url\(|@import/)
})

function scenarioWith(changes: Partial<ScenarioResult>): ScenarioResult {
  const empty: ScenarioResult = {
    id: 'crowds',
    title: 'Crowds',
    why: '',
    proves: ['cdn-collapse'],
    verdict: 'pass',
    because: '',
    startedAtMs: 0,
    durationMs: 1_000,
    checks: [],
    measurements: {},
    faults: [],
    timeline: [],
    throughput: [],
    operations: { ok: 0, failed: 0, unanswered: 0 },
  }
  return { ...empty, ...changes }
}

describe('the stock configuration beside the judged one', () => {
  const modes = [{ mode: 'sse' as const, crowds: 1, readers: 100, upstreamRequests: 97, wrong: 3 }]
  const stock = scenarioWith({ id: 'stock', measurements: { stockCache: { configuration: 'varnish/stock.vcl', modes } } })
  const section = (scenarios: ScenarioResult[]) => /<section id="stock"[^]*?<\/section>/.exec(body({ ...sampleResult(1), scenarios }))?.[0] ?? ''
  const cells = (text: string) => [...text.matchAll(/<td class="figures"[^>]*>([^]*?)<\/td>/g)].map((match) => match[1]!.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ').trim())

  test('is a table, with what was not run left open', () => {
    expect(section([stock])).toContain('varnish/stock.vcl')
    expect(cells(section([stock]))).toEqual(['100 1 crowd', '97', '3', 'not run', '', ''])
  })

  test('takes the judged figures from the crowds of the same mode, without the control', () => {
    const crowd = { mode: 'sse' as const, generation: '1', answered: 500, probeRequests: 0, upstreamRequestsMax: 1, arrivalMs: 1, connectMs: 1, spreadP50Ms: 1, spreadP99Ms: 1, readerBytes: 1, spread: [] }
    const fanOut = [
      { ...crowd, path: 'edge-http1' as const, readers: 500, identical: 500, upstreamRequests: 1 },
      { ...crowd, path: 'tls-h2' as const, readers: 500, identical: 499, upstreamRequests: 2 },
      { ...crowd, path: 'direct' as const, readers: 10, identical: 10, upstreamRequests: 10 },
    ]
    expect(cells(section([stock, scenarioWith({ measurements: { fanOut } })]))).toEqual(['100 1 crowd', '97', '3', '1,000 2 crowds', '3', '1'])
  })

  test('is not there where it was not measured', () => {
    expect(section([scenarioWith({})])).toBe('')
  })
})

test('a timeline of too many rows keeps its faults', () => {
  const steps = Array.from({ length: 30 }, (_, index) => ({ kind: 'step' as const, label: `step ${index}`, fromMs: index, toMs: index + 1 }))
  const fault = { kind: 'fault' as const, label: 'origin down after a kill', fromMs: 40, toMs: 50 }
  const text = body({ ...sampleResult(1), scenarios: [scenarioWith({ timeline: [...steps, fault] })] })
  expect(text).toContain('origin down after a kill')
  expect(text).toContain('step 16')
  expect(text).not.toContain('step 17')
  expect(text).toContain('and 13 more in result.json')
})

describe('size', () => {
  const points = 10_000
  const indices = Array.from({ length: points }, (_, index) => index)
  const crowd = {
    mode: 'sse' as const,
    path: 'edge-http1' as const,
    readers: points,
    answered: points,
    identical: points,
    upstreamRequests: 1,
    probeRequests: 0,
    upstreamRequestsMax: 1,
    arrivalMs: 2_000,
    connectMs: 900,
    spreadP50Ms: 300,
    spreadP99Ms: 900,
    readerBytes: 3_900,
    spread: indices.map((index): [number, number] => [index / (points - 1), Math.sqrt(index) * 9]),
  }

  test('what a hop cost is added over the scenarios, and the most is the most of any', () => {
    const hop = { hop: 'edge' as const, looks: 3, cpuMs: 1_500, cpuShareMax: 1.25, memoryBytesMax: 3 * 2 ** 20, processesMax: 2, threadsMax: 30, openFilesMax: 40, diskReadBytes: 0, diskWrittenBytes: 2 ** 20, readBytes: 2 ** 20, writtenBytes: 2 ** 21 }
    const scenarios = [hop, { ...hop, cpuMs: 500, memoryBytesMax: 5 * 2 ** 20 }].map((one) => scenarioWith({ measurements: { usage: { hops: [one], loopbackBytes: 2 ** 20 } } }))
    const words = body({ ...sampleResult(1), scenarios }).replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')
    expect(words).toContain(' cache 2 s 125 % 5 MiB 2, 30 40 0 B, 2 MiB 2 MiB, 4 MiB 6 ')
    expect(words).toContain('1 MiB passed the network')
    expect(body({ ...sampleResult(1), scenarios: [scenarioWith({ measurements: {} })] })).not.toContain('What each hop cost')
  })

  test('24 crowds of 10,000 points each, with as long a timeline, stay far below the limit', () => {
    const scenario = scenarioWith({
      measurements: {
        fanOut: Array.from({ length: 24 }, (_, index) => ({ ...crowd, generation: String(index) })),
        disk: indices.map((index) => ({ atMs: index, bytes: index % 977, what: 'data_dir' })),
      },
      throughput: indices.map((index): [number, number, number, number] => [index * 250, index % 13, index % 7, index % 5]),
      timeline: indices.map((index) => ({ kind: 'fault' as const, label: 'kill', fromMs: index * 250, toMs: index * 250 + 60 })),
      durationMs: points * 250,
      operations: { ok: 60_000, failed: 30_000, unanswered: 20_000 },
    })
    const text = renderHtml({ ...sampleResult(1), scenarios: [scenario] })
    expect(Buffer.byteLength(text)).toBeLessThan(500_000)
    expect(text.match(/<path class="line/g)!.length).toBeGreaterThanOrEqual(24 + 1 + 3)
  })

  test('a result of dozens of megabytes still makes a page that can be mailed, and it says so', () => {
    const check = {
      id: 'check',
      rows: [],
      verdict: 'fail' as const,
      severity: 'high' as const,
      because: '<&"> '.repeat(400),
      evidence: Array.from({ length: 8 }, () => '<&"> '.repeat(400)),
      examined: 1,
    }
    const scenarios = Array.from({ length: 60 }, (_, index) =>
      scenarioWith({ id: `scenario-${index}`, checks: Array.from({ length: 60 }, () => check) }),
    )
    const text = renderHtml({ ...sampleResult(1), scenarios })
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(pageBytesMax)
    expect(text).toContain('Left out of this page')
    expect(text).toContain('scenarios: 52 of 60')
  })
})

describe('a scenario about public reports', () => {
  const withReport = (report: string, fixedIn: string | null) => {
    const sample = sampleResult(1)
    const [first, ...others] = sample.scenarios
    return body({ ...sample, scenarios: [{ ...first!, incidents: [{ report, title: 'A tail <went> back', fixedIn }] }, ...others] })
  }

  test('links to them, and says from which version they are mended', () => {
    expect(withReport('https://example.org/issues/7', 'server 1.2')).toContain('Known incident: <a href="https://example.org/issues/7" rel="noreferrer">A tail &lt;went&gt; back</a>, mended in server 1.2')
    expect(withReport('https://example.org/issues/7', null)).toContain('not mended in any release')
  })

  test('links to web addresses only', () => {
    const text = withReport('javascript:alert(1)', null)
    expect(text).toContain('(javascript:alert(1))')
    expect(text).not.toContain('href="javascript:')
  })
})
