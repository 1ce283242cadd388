/** No create sets both lifetimes: the server answers 400 to it, and nothing is created. Pure. */
import type { RuleOutcome } from '../finding.ts'
import { judgeUses, right, skip, type Opinion } from '../judging.ts'
import { creates, lifetimesOf } from '../lifetimes.ts'
import type { AppRule } from '../rule.ts'
import type { Facts } from '../source/client-uses.ts'
import type { Value } from '../source/values.ts'

const fix = 'Keep one: ttlSeconds for a window that reads and writes renew, expiresAt for a fixed end.'

export default { row: 'lifecycle-one', things: ['create with a lifetime', 'creates with a lifetime'], judge: lifecycleOne } satisfies AppRule

function lifecycleOne(facts: Facts): RuleOutcome {
  return judgeUses('lifecycle-one', creates(facts), (options, way, use): Opinion => {
    const { ttl, expiresAt } = lifetimesOf(options, way, use, facts.evaluator)
    if (ttl === 'yes' && expiresAt === 'yes') {
      return { kind: 'wrong', message: `${use.name} sets a TTL and an expiry: the server answers 400, and the stream is not created.`, fix }
    }
    if (ttl !== 'yes' && expiresAt !== 'yes') return skip
    if ((ttl !== 'maybe' && expiresAt !== 'maybe') || !isWritten(options, ttl === 'yes' ? 'expiresAt' : 'ttlSeconds')) return right
    const [set, other] = ttl === 'yes' ? ['a TTL', 'an expiry'] : ['an expiry', 'a TTL']
    return { kind: 'open', message: `${use.name} sets ${set}, and gets more options from elsewhere; the source does not tell whether they set ${other}, too.`, fix }
  })
}

/** That options spread in from elsewhere hold a second lifetime is no more than possible. */
function isWritten(options: Value, name: string): boolean {
  return options.kind === 'object' && options.props.has(name)
}
