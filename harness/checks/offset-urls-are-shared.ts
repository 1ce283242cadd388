/**
 * A URL with an offset is good for all who are there: whoever asks from one offset gets the same bytes,
 * as far as the stream goes, and readers that write the parameters in another order share one answer.
 */
import { limitsOf, type Check } from '../check.ts'
import { readModes, type Answer } from '../history.ts'
import { number, plural } from '../report/figures.ts'
import { fail, pass, unknown } from '../verdict.ts'
import { keepEpisodes, type Episode, type Episodes } from './differential/episodes.ts'
import { gatheringsOf } from './differential/gatherings.ts'
import { modelOf, passesEdge } from './differential/stream-model.ts'
import { Findings } from './findings.ts'

interface Limits {
  staleMs: number
  expiryMs: number
}

interface State {
  limits: Limits
  episodes: Episodes
  answers: number
  groups: number
  readers: number
  findings: Findings
}

export const offsetUrlsAreSharedCheck: Check<State, Partial<Limits>> = {
  id: 'offset-urls-are-shared',
  title: 'Same offset, same bytes, whatever the order of the parameters',
  hangsOnTime: true,
  init: (limits) => ({
    limits: limitsOf({ staleMs: 1_000, expiryMs: 1_000 }, limits),
    episodes: new Map(),
    answers: 0,
    groups: 0,
    readers: 0,
    findings: new Findings(),
  }),
  step(state, event) {
    const episode = keepEpisodes(state.episodes, event)
    if (episode) examine(state, episode)
  },
  finish({ answers, groups, readers, findings }) {
    const figures = { value: findings.count, unit: 'findings', limit: 0 }
    if (findings.count > 0) return fail(answers, `${findings.counted} times readers at one offset did not share an answer, or its bytes.`, findings.evidence, findings.fingerprint!, figures)
    if (answers > 0 && groups === 0) return unknown('No readers asked together with their parameters in different orders.', [], answers)
    return pass(answers, `${number(answers)} catch-up answers agree on the bytes behind their offset; ${plural(groups, 'group')} of ${number(readers)} readers shared answers across the orders of their parameters.`, figures)
  },
}

function examine(state: State, episode: Episode): void {
  compareBytes(state, episode)
  const model = modelOf(episode.writes, state.limits.expiryMs)
  for (const mode of readModes) {
    for (const gathering of gatheringsOf(episode, model, { mode, staleMs: state.limits.staleMs }, 'several')) {
      state.groups += 1
      state.readers += gathering.readers
      if (gathering.requests <= gathering.requestsMax) continue
      state.findings.note(`order ${gathering.id}`, `offset-urls-are-shared/order/${mode}/none/edge`, () =>
        `${plural(gathering.readers, 'reader')} that asked together for ${gathering.target}, every other one with its parameters in another order, made ${number(gathering.requests)} requests; ${number(gathering.requestsMax)} would do`,
      )
    }
  }
}

/** Of two answers that begin with the same record, the shorter one is the beginning of the longer one. */
function compareBytes(state: State, episode: Episode): void {
  const longest = new Map<string, Answer>()
  for (const answer of episode.answers) {
    if ((answer.mode !== 'history' && answer.mode !== 'tail') || !passesEdge(answer.via) || answer.status !== 200) continue
    const records = answer.claims[0]!.records
    state.answers += 1
    if (records.length === 0) continue
    const key = `${answer.fromOffset} ${records[0]}`
    const other = longest.get(key)
    const [short, long] = [records, other?.claims[0]!.records ?? []].toSorted((a, b) => a.length - b.length)
    if (other && short!.some((record, n) => record !== long![n])) {
      state.findings.note(`bytes ${answer.id}`, `offset-urls-are-shared/other-bytes/${answer.mode}/none/edge`, () => `GET ${answer.target}: ${records.join(' ')}; before: ${other.claims[0]!.records.join(' ')}`)
    }
    if (!other || records.length > other.claims[0]!.records.length) longest.set(key, answer)
  }
}
