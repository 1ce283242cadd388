/**
 * The page in a real browser: it asks for nothing, runs nothing, fits a phone, works with the
 * keyboard, and axe finds nothing to complain about. Needs chromium; says so where there is none.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AxeResults } from 'axe-core'
import fc from 'fast-check'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBrowser } from '../../harness/provision/browser.ts'
import { renderHtml } from '../../harness/report/html.ts'
import { neutralise } from '../../harness/report/neutralise.ts'
import type { Result } from '../../harness/report/result.ts'
import { arbitraryResult, hostileStrings } from './arbitrary-result.ts'

const executablePath = (await findBrowser({ env: process.env }))?.path
if (!executablePath) {
  console.warn('SKIPPED: the report was not opened in a browser: no chromium found (on Debian: apt-get install chromium).')
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const widths = [360, 1_280]
const schemes = ['light', 'dark'] as const

describe.skipIf(!executablePath)('in a browser', () => {
  let browser: Browser
  let folder = ''
  let file = ''
  const result = fullest()

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'report-test-'))
    file = path.join(folder, 'report.html')
    await writeFile(file, renderHtml(result))
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] })
  })
  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** Opens the page and hands it over, with everything that it said or asked for. */
  async function open<T>(
    options: { width: number; scheme: 'light' | 'dark'; bypassCSP?: boolean; page?: string },
    use: (page: Page, heard: string[]) => Promise<T>,
  ): Promise<T> {
    const context = await browser.newContext({
      viewport: { width: options.width, height: 800 },
      colorScheme: options.scheme,
      bypassCSP: options.bypassCSP ?? false,
    })
    const page = await context.newPage()
    const url = pathToFileURL(options.page ?? file).href
    const heard: string[] = []
    page.on('console', (message) => heard.push(message.text()))
    page.on('pageerror', (error) => heard.push(String(error)))
    page.on('dialog', (dialog) => heard.push(`dialog ${dialog.message()}`))
    page.on('request', (request) => {
      if (request.url() !== url) heard.push(`request ${request.url()}`)
    })
    await page.goto(url)
    const answer = await use(page, heard)
    await context.close()
    return answer
  }

  const looks = widths.flatMap((width) => schemes.map((scheme) => ({ width, scheme })))

  async function violationsOf(page: Page): Promise<string[]> {
    await page.evaluate(axeSource)
    const found = (await page.evaluate('axe.run()')) as AxeResults
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`)
  }

  test.each(looks)('axe finds nothing at $width px in $scheme', async (look) => {
    expect(await open({ ...look, bypassCSP: true }, violationsOf)).toEqual([])
  })

  test.each(looks)('the sample of a real run: axe finds nothing at $width px in $scheme, and it fits', async (look) => {
    const page = path.join(import.meta.dirname, '..', '..', 'reports', 'sample', 'report.html')
    expect(await open({ ...look, page, bypassCSP: true }, violationsOf)).toEqual([])
    await open({ ...look, page }, async (opened, heard) => {
      expect(heard).toEqual([])
      expect(await opened.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(look.width)
    })
  })

  test('on paper nothing is folded away and nothing is cut', async () => {
    await open({ width: 718, scheme: 'dark' }, async (page) => {
      await page.emulateMedia({ media: 'print' })
      const folded = page.locator('details:not([open]) > :not(summary)')
      expect(await folded.count()).toBeGreaterThan(0)
      expect(await folded.evaluateAll((all) => all.filter((one) => !one.checkVisibility({ contentVisibilityAuto: true }) || one.getBoundingClientRect().height === 0).length)).toBe(0)
      expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)')
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(718)
    })
  })

  test('it asks for nothing and runs nothing, whatever stands in the result', async () => {
    await open({ width: 1_280, scheme: 'light' }, async (page, heard) => {
      expect(heard).toEqual([])
      expect(await page.locator('script, img, iframe, link').count()).toBe(0)
      expect(await page.locator('h1').innerText()).not.toBe('')
    })
  })

  test.each(widths)('nothing makes the page scroll sideways at %i px', async (width) => {
    await open({ width, scheme: 'light' }, async (page) => {
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    })
  })

  test('the filter works from the keyboard', async () => {
    await open({ width: 1_280, scheme: 'light' }, async (page) => {
      const rows = page.locator('table.checklist tbody tr')
      const visible = () => rows.evaluateAll((all) => all.filter((row) => row.checkVisibility()).map((row) => row.getAttribute('data-verdict')))
      expect((await visible()).length).toBe(26)
      await page.locator('#show-all').focus()
      await page.keyboard.press('ArrowRight')
      expect(new Set(await visible())).toEqual(new Set(['fail']))
    })
  })

  test('headings go down one level at a time', async () => {
    await open({ width: 1_280, scheme: 'light' }, async (page) => {
      const levels = await page.locator('h1, h2, h3, h4').evaluateAll((all) => all.map((heading) => Number(heading.tagName[1])))
      expect(levels[0]).toBe(1)
      expect(levels.filter((level, index) => index > 0 && level > levels[index - 1]! + 1)).toEqual([])
    })
  })
})

/**
 * Of many random results the one with the most in it, hostile texts included. Only what no run
 * can bring about is mended: names that are blank, and two scenarios of one title.
 */
function fullest(): Result {
  const all = fc.sample(arbitraryResult, { seed: 7, numRuns: 200 })
  const size = (result: Result) => (hasFailure(result) ? 1 : 0) * JSON.stringify(result.scenarios).length
  const found = named(all.reduce((most, one) => (size(one) > size(most) ? one : most)))
  const scenarios = found.scenarios.map((scenario, index) => ({ ...scenario, title: `${index} ${scenario.title}` }))
  return { ...found, scenarios: [{ ...scenarios[0]!, because: hostileStrings[0]!, why: hostileStrings[1]! }, ...scenarios.slice(1)] }
}

function named(result: Result): Result {
  const blank = (value: unknown) => typeof value === 'string' && neutralise(value).replace(/[\s\p{M}\p{Default_Ignorable_Code_Point}]/gu, '') === ''
  return JSON.parse(JSON.stringify(result, (_, value: unknown) => (blank(value) ? 'unnamed' : value))) as Result
}

function hasFailure(result: Result): boolean {
  return result.checklist.some((row) => row.verdict === 'fail')
}
