/**
 * A second server on the same data_dir or port ends by itself with an error, and says why. One that
 * becomes ready shares the first one's streams or requests; one that hangs in silence looks like a
 * slow start to whatever supervises it.
 */
import type { Check } from '../check.ts'
import type { Lifecycle } from '../history.ts'
import { duration, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'

interface State {
  attempts: Lifecycle[]
}

export const secondServerIsRefusedCheck: Check<State, object> = {
  id: 'second-server-is-refused',
  title: 'A second server on the same data_dir or port fails loudly',
  hangsOnTime: true,
  init: () => ({ attempts: [] }),
  step(state, event) {
    if (event.kind === 'lifecycle' && event.what === 'refused') state.attempts.push(event)
  },
  finish({ attempts }) {
    if (attempts.length === 0) return unknown('No second server was started.')
    const quiet = attempts.filter((attempt) => attempt.because !== 'exited')
    if (quiet.length > 0) {
      const evidence = quiet.flatMap((attempt) => [`a second server ${describe(attempt)}; its last log lines:`, ...(attempt.logLines ?? []).slice(-2)])
      return fail(attempts.length, `A second server ${quiet.map(describe).join('; another ')}.`, evidence, `second-server-is-refused/${quiet[0]!.because}/any/second-server-on-${quiet[0]!.label}/origin`)
    }
    return pass(attempts.length, `${plural(attempts.length, 'second server')} ended by ${attempts.length === 1 ? 'itself' : 'themselves'} with an error.`, { evidence: attempts.map(describe) })
  },
}

function describe(attempt: Lifecycle): string {
  const ended = {
    ready: 'became ready beside the first',
    'port-taken': 'found its own port taken',
    deadline: `was still running beside the first after ${duration(attempt.tookMs ?? 0)}, and said nothing of it`,
    exited: 'ended with an error',
  }
  return `on the same ${attempt.label === 'port' ? 'port' : 'data_dir'} ${ended[attempt.because as keyof typeof ended] ?? attempt.because}`
}
