/** The control: without a cache on the way the same count shows one upstream request for each reader. */
import type { RunCheck } from '../check.ts'
import type { Crowd } from '../history.ts'
import { number } from '../report/figures.ts'
import { pass, unknown } from '../verdict.ts'

interface State {
  crowds: Crowd[]
}

export const countCanBeWrongCheck: RunCheck<State, object> = {
  id: 'count-can-be-wrong',
  title: 'Without the cache the count of upstream requests is the number of readers',
  blames: 'nobody',
  init: () => ({ crowds: [] }),
  step(state, event) {
    if (event.kind === 'crowd' && event.path === 'direct') state.crowds.push(event)
  },
  finish({ crowds }) {
    const readers = crowds.reduce((sum, crowd) => sum + crowd.readers, 0)
    const off = crowds.find((crowd) => crowd.upstreamRequests !== crowd.readers)
    if (off) {
      return unknown(`The control counted ${off.upstreamRequests} upstream requests for ${off.readers} readers without a cache: the count cannot be trusted.`, [off.crowd], readers)
    }
    return pass(readers, `${number(readers)} readers without a cache were counted as ${number(readers)} upstream requests.`)
  },
}
