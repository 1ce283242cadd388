/** The first request of a live reader of the client library asks for history by an address that caches share: without `live`. */
import type { Check } from '../check.ts'
import { plural } from '../report/figures.ts'
import { fail, pass } from '../verdict.ts'

interface State {
  client: string
  /** How each reader asked first. */
  first: Map<string, string>
}

/** More readers than a scenario has. */
const readersMax = 10_000

export const firstReadIsSharedCheck: Check<State, object> = {
  id: 'first-read-is-shared',
  title: 'The first read of a live reader is one that a cache can share',
  init: () => ({ client: '', first: new Map() }),
  step(state, event) {
    if (event.kind === 'client-cell') state.client = event.client
    if (event.kind !== 'client-request' || event.what !== 'request' || event.mode === undefined) return
    if (!state.first.has(event.cell) && state.first.size < readersMax) state.first.set(event.cell, event.mode)
  },
  finish({ client, first }) {
    const live = [...first].filter(([, mode]) => mode !== 'catch-up')
    const figures = { value: live.length, unit: 'readers', limit: 0 }
    if (live.length > 0) {
      const lines = live.map(([cell, mode]) => `${cell}: the first request asked with live=${mode}`)
      return fail(first.size, `${live.length} of ${plural(first.size, 'reader')} of ${client} began with a live request, which no cache may store.`, lines, `first-read-is-shared/live/${live[0]![1]}/none/client`, figures)
    }
    return pass(first.size, `All ${plural(first.size, 'reader')} of ${client} began with a plain read.`, figures)
  },
}
