/** Where credentials are asked for, nobody without them gets an answer of a stream, by whatever way. */
import type { Check } from '../check.ts'
import { number } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { Findings } from './findings.ts'
import { Traits } from './traits.ts'

interface State {
  asked: number
  unanswered: string[]
  leaks: Findings
  traits: Traits<'stream' | 'via'>
}

export const privateStaysPrivateCheck: Check<State, object> = {
  id: 'private-stays-private',
  title: 'Nobody without credentials is answered, by the cache either',
  init: () => ({ asked: 0, unanswered: [], leaks: new Findings(), traits: new Traits() }),
  step(state, event) {
    if (event.kind !== 'stranger') return
    const key = `${event.what} by ${event.via}`
    if (event.status === null) return void state.unanswered.push(`${key}: ${event.error}`)
    state.asked += 1
    if (event.status === 401 || event.status === 403) return
    state.traits.note({ stream: event.what.split(', ')[0]!, via: event.via })
    state.leaks.note(key, null, () => `${key}: ${event.status} without credentials, with ${event.records} records`)
  },
  finish({ asked, unanswered, leaks, traits }) {
    const figures = { value: leaks.count, unit: 'answers', limit: 0 }
    if (leaks.count > 0) return fail(asked, `${leaks.counted} of ${number(asked)} requests without credentials were answered with something else than 401 or 403.`, leaks.evidence, `private-stays-private/answered/${traits.of('stream')}/any/${traits.of('via')}`, figures)
    if (unanswered.length > 0) return unknown(`${number(unanswered.length)} requests without credentials got no answer.`, unanswered, asked)
    return pass(asked, `${number(asked)} requests without credentials were all refused with 401 or 403.`, figures)
  },
}
