/** Opens pages in the world's browser and hands them over; what keeps it from that is our shortfall. */
import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from 'playwright-core'
import type { StepContext } from '../step.ts'
import { openPageServer } from './page-server.ts'

/** By this name checks know that there was no browser. */
export const browserShortfall = 'browser'

export interface Pages {
  /** 'Chromium 156.0.8078.108' */
  version: string
  /** A browser's window of its own: nothing is shared with other windows, neither cache nor connections. */
  window(): Promise<BrowserContext>
  /** Opens the page of another origin. */
  open(window: BrowserContext): Promise<OpenPage>
}

export interface OpenPage {
  page: Page
  devtools: CDPSession
  /** What was kept from the page since the last call, in the browser's words. */
  kept(): Promise<string[]>
}

interface NetworkFailure {
  errorText: string
  corsErrorStatus?: { corsError: string; failedParameter: string }
}

/**
 * @param what the clause that says what is not judged without a browser
 */
export async function withPages(context: StepContext, what: string, use: (pages: Pages) => Promise<void>): Promise<void> {
  const { world, signal, recorder } = context
  const found = await world.browser()
  if ('missing' in found) return void recorder.record({ kind: 'shortfall', what: browserShortfall, because: `${what}: ${found.missing}` })
  await using server = await openPageServer()
  const browser = await chromium.connectOverCDP(found.devtoolsUrl)
  const leave = () => void browser.close()
  signal.addEventListener('abort', leave, { once: true })
  try {
    await use(pagesOf(browser, found.version, server.url))
  } catch (error) {
    if (browser.isConnected()) throw error
    signal.throwIfAborted()
    recorder.record({ kind: 'shortfall', what: browserShortfall, because: `${what}: the browser ended by itself.` })
  } finally {
    signal.removeEventListener('abort', leave)
    await browser.close()
  }
}

function pagesOf(browser: Browser, version: string, url: string): Pages {
  return {
    version,
    // Whether the chain verifies is for the handshakes to say: here it must not hide what pages can do.
    window: () => browser.newContext({ ignoreHTTPSErrors: true }),
    async open(window) {
      const page = await window.newPage()
      const devtools = await window.newCDPSession(page)
      await devtools.send('Network.enable')
      let kept: string[] = []
      devtools.on('Network.loadingFailed', ({ errorText, corsErrorStatus }: NetworkFailure) => {
        if (corsErrorStatus) kept.push(`${corsErrorStatus.corsError} ${corsErrorStatus.failedParameter}`.trim())
        // The client itself aborts a read that it has enough of.
        else if (errorText !== 'net::ERR_ABORTED') kept.push(errorText)
      })
      await page.goto(url)
      await page.waitForFunction('globalThis.program !== undefined')
      return {
        page,
        devtools,
        async kept() {
          // What the browser has to tell comes before its answer.
          await devtools.send('Network.enable')
          return kept.splice(0)
        },
      }
    },
  }
}
