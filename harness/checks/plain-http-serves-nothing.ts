/** The edge's plain-HTTP listener redirects or refuses; it never serves a stream's bytes. */
import type { Check } from '../check.ts'
import type { Exchange } from '../history.ts'
import { fail, pass, unknown } from '../verdict.ts'

interface State {
  exchanges: Exchange[]
  shortfalls: string[]
}

export const plainHttpServesNothingCheck: Check<State, object> = {
  id: 'plain-http-serves-nothing',
  title: 'Plain HTTP does not serve streams',
  init: () => ({ exchanges: [], shortfalls: [] }),
  step(state, event) {
    if (event.kind === 'exchange' && event.label === 'plain-http') state.exchanges.push(event)
    if (event.kind === 'shortfall' && event.what === 'plain HTTP') state.shortfalls.push(event.because)
  },
  finish({ exchanges, shortfalls }) {
    const served = exchanges.find((exchange) => exchange.status !== null && exchange.status < 300)
    if (served) {
      const evidence = [`GET http:// ${served.path} answered ${served.status} with ${served.bytes} bytes`]
      return fail(exchanges.length, 'Plain HTTP serves a stream to anyone who asks.', evidence, 'plain-http-serves-nothing/served/any/none/tls')
    }
    const answered = exchanges.find((exchange) => exchange.status !== null)
    if (answered) return pass(exchanges.length, `Plain HTTP answered ${answered.status}${answered.headers.location ? ` to ${answered.headers.location}` : ''}, without a stream's bytes.`)
    if (exchanges.length === 0 && shortfalls.length > 0) return pass(shortfalls.length, `There is nothing to ask: ${shortfalls.join(' ')}`)
    return unknown('Plain HTTP was not asked, or did not answer.', exchanges.map((exchange) => exchange.error ?? ''))
  },
}
