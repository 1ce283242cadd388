/**
 * What an issue remembers of its failure from night to night: hidden in its text, found again by its
 * fingerprint. Whoever can edit the issue can edit it, so that it is read with suspicion. Pure.
 */
import { z } from 'zod'

const scenarioState = z.strictObject({
  id: z.string().max(500),
  known: z.boolean(),
  /** How many nights in a row it was seen to pass; 0 while it fails. */
  passes: z.number().int().min(0).max(1_000_000),
})

const issueState = z.strictObject({
  v: z.literal(1),
  fingerprint: z.string().min(1).max(1_000),
  /** Whose failure it is: 'production behind varnish' is another series than the reference server's. */
  series: z.string().max(500),
  scenarios: z.array(scenarioState).min(1).max(200),
  firstSeen: z.string().max(500),
  lastSeen: z.string().max(500),
  nightsFailed: z.number().int().min(1).max(1_000_000),
  /** The runs that were counted last: the same night once more changes nothing. */
  runs: z.array(z.string().max(500)).max(20),
})

export type IssueState = z.infer<typeof issueState>

const opening = '<!-- durable-streams-simulation '
const closing = ' -->'
/** Longer ones are not ours. */
const charactersMax = 40_000

/** A comment of HTML that nothing in it can end. */
export function markerOf(state: IssueState): string {
  const json = JSON.stringify(state).replace(/[<>&@]|[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `${opening}${json}${closing}`
}

/** The state in an issue's text; null where there is none that can be read. The first one counts. */
export function stateIn(body: string | null): IssueState | null {
  const from = body?.indexOf(opening) ?? -1
  if (from === -1) return null
  const to = body!.indexOf(closing, from)
  if (to === -1 || to - from > charactersMax) return null
  const parsed = issueState.safeParse(jsonOf(body!.slice(from + opening.length, to)))
  return parsed.success ? parsed.data : null
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** One issue each. */
export function stateKey({ fingerprint, series }: Pick<IssueState, 'fingerprint' | 'series'>): string {
  return JSON.stringify([fingerprint, series])
}
