/** Where a run has measured what a text was read for, the measurement stands. Pure. */
import { isMeasuredGreen } from '../conclude.ts'
import type { ScenarioResult } from '../report/result.ts'
import type { Finding } from './finding.ts'

/** Findings of files that this run ran: what it found to hold is worth knowing, and decides nothing. */
export function overruled(findings: readonly Finding[], scenarios: readonly ScenarioResult[]): Finding[] {
  return findings.map((finding) => {
    const { rule, yieldsToMeasurement, undecided: _undecided, ...rest } = finding
    if (!yieldsToMeasurement || rule === 'source' || !isMeasuredGreen(rule, scenarios)) return finding
    return { ...rest, rule, severity: 'note', message: `${finding.message} This run measured that the row holds with this very file, so it does not count.` }
  })
}
