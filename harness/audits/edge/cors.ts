/** What lets a page of another origin read the answers is left on them. Pure. */
import { exchangesInWords, type EdgeFacts } from '../edge-facts.ts'
import type { Finding, RuleOutcome } from '../finding.ts'
import type { EdgeRule } from '../rule.ts'

export default { row: 'cors', things: ['exchange', 'exchanges'], judge: cors } satisfies EdgeRule

const lost: Record<string, { name: string; leadsTo: string }> = {
  'access-control-allow-origin': { name: 'Access-Control-Allow-Origin', leadsTo: 'a browser keeps the answers from pages of another origin' },
  'access-control-expose-headers': { name: 'Access-Control-Expose-Headers', leadsTo: 'a page of another origin cannot read where to read on' },
}

function cors({ acts, followed }: EdgeFacts): RuleOutcome {
  const findings = acts.flatMap((act): Finding[] => {
    // Another value may be a narrower one, on purpose.
    if (act.kind !== 'header' || act.how !== 'dropped' || !lost[act.header]) return []
    const { name, leadsTo } = lost[act.header]!
    const message = `${name} is taken away (${exchangesInWords(act.exchanges)}): unless a hop in front puts it back, ${leadsTo}.`
    const common = { rule: 'cors', ...act.place, yieldsToMeasurement: true, message, fix: `Leave ${name} as the origin sent it.` } as const
    return [act.certainty === 'always' ? { ...common, severity: 'warning', undecided: true } : { ...common, severity: 'note' }]
  })
  return { examined: followed, findings }
}
