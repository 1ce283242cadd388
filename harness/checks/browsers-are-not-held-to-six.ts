/**
 * Seven tabs of one browser hold live reads, and the seventh still appends. The same over HTTP/1.1,
 * where a browser holds six connections to a host, is the control: it must be held, or the
 * measurement proves nothing.
 */
import type { Check } from '../check.ts'
import type { PageTabs } from '../history.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { browserMissing } from './page-results.ts'

interface State {
  control: PageTabs | null
  tls: PageTabs | null
  missing: string | null
}

export const browsersAreNotHeldToSixCheck: Check<State, object> = {
  id: 'browsers-are-not-held-to-six',
  title: 'A browser can hold more than six live reads over HTTPS',
  hangsOnTime: true,
  init: () => ({ control: null, tls: null, missing: null }),
  step(state, event) {
    state.missing ??= browserMissing(event)
    if (event.kind !== 'page-tabs') return
    if (event.via === 'tls') state.tls = event
    if (event.via === 'edge') state.control = event
  },
  finish({ control, tls, missing }) {
    if (tls === null || control === null) return unknown(missing ?? 'Tabs were not opened both over HTTPS and over HTTP/1.1.')
    if (isFree(control)) return unknown(`The control was not held: over ${control.protocol} all ${control.tabs} tabs got through, so the measurement proves nothing.`, [told(control)])
    const evidence = [told(tls), `as the control, ${told(control)}`]
    if (isFree(tls)) {
      return pass(tls.tabs, `${tls.attached} of ${tls.tabs} tabs held a live read over ${tls.protocol}, and the last one's append took ${tls.appendMs} ms.`, { evidence })
    }
    const because = `Over HTTPS ${tls.attached} of ${tls.tabs} tabs got their live read (${tls.protocol}), and the last one's append ${appendWords(tls)}.`
    return fail(tls.tabs, because, evidence, 'browsers-are-not-held-to-six/held/any/none/tls', { value: tls.attached, unit: 'tabs', limit: tls.tabs, limitIs: 'at-least' })
  },
}

function isFree({ tabs, attached, appendMs }: PageTabs): boolean {
  return attached === tabs && appendMs !== null
}

function told(one: PageTabs): string {
  return `by ${one.via} over ${one.protocol}: ${one.attached} of ${one.tabs} live reads attached within ${one.waitMs} ms, the last tab's append ${appendWords(one)}`
}

function appendWords({ appendMs, waitMs }: PageTabs): string {
  return appendMs === null ? `had no answer within ${waitMs} ms` : `took ${appendMs} ms`
}
