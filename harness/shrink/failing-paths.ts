/** Which paths of a schedule a check fails on, each judged by its own events: they are independent. */
import type { CheckSpec } from '../check-spec.ts'
import { checkById } from '../checks.ts'
import { readHistory } from '../history-file.ts'
import type { HistoryEvent } from '../history.ts'
import { isSameFailure } from '../report/same-failure.ts'

/** By path, why the check fails on it in the way of this fingerprint. */
export async function failingPaths(folder: string, scenario: string, spec: CheckSpec, fingerprint: string): Promise<Map<string, string>> {
  const check = checkById(spec.check)
  const open = new Map<string, unknown>()
  const failing = new Map<string, string>()
  const common: HistoryEvent[] = []
  const feed = (stream: string, event: HistoryEvent) => {
    let state = open.get(stream)
    if (state === undefined) {
      state = check.init(spec.limits)
      open.set(stream, state)
      for (const earlier of common) check.step(state, earlier)
    }
    check.step(state, event)
  }
  await readHistory(folder, (event) => {
    if (event.scenario !== scenario) return
    if (event.kind === 'lifecycle') {
      common.push(event)
      for (const state of open.values()) check.step(state, event)
    } else if ('stream' in event) {
      feed(event.stream, event)
      if (event.kind !== 'episode') return
      const verdict = check.finish(open.get(event.stream))
      open.delete(event.stream)
      if (verdict.verdict === 'fail' && isSameFailure(fingerprint, verdict.fingerprint)) failing.set(event.stream, verdict.evidence[0] ?? verdict.because)
    }
  })
  return failing
}
