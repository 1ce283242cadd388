/** The issues of a repository: read with one label, and changed as a plan says. */
import { z } from 'zod'
import { UsageError } from '../errors.ts'
import { actionLine, type Action, type Issue } from '../report/issue-plan.ts'
import type { Repository } from './rest.ts'

/** As the REST API and `gh api` write them; what the plan does not need is left out. */
const issueSchema = z.object({
  number: z.number().int(),
  state: z.enum(['open', 'closed']),
  state_reason: z.string().nullish(),
  body: z.string().nullish(),
  labels: z.array(z.union([z.string(), z.object({ name: z.string() })])),
  pull_request: z.unknown().optional(),
})

/** Issues from a list of GitHub's; pull requests are in it, too, and are left out. Throws UsageError. */
export function issuesFrom(list: unknown, source: string): Issue[] {
  const parsed = z.array(issueSchema).safeParse(list)
  if (!parsed.success) throw new UsageError(`${source} is no list of issues as GitHub's REST API writes it: ${z.prettifyError(parsed.error).split('\n').slice(0, 2).join(' ')}`)
  return parsed.data
    .filter((one) => one.pull_request === undefined)
    .map(({ number, state, state_reason: stateReason = null, body = null, labels }) => ({ number, state, stateReason, body, labels: labels.map((label) => (typeof label === 'string' ? label : label.name)) }))
}

/** All issues with this label, open and closed: whoever has no right to label cannot plant one. */
export async function readIssues(repository: Repository, label: string): Promise<Issue[]> {
  return issuesFrom(await repository.list('/issues', { state: 'all', labels: label, sort: 'created', direction: 'desc' }), 'The answer of GitHub')
}

/**
 * Makes the changes one after another, each told as it is made. The first that GitHub refuses ends it;
 * the next night finds by the markers what was made.
 */
export async function applyPlan(repository: Repository, actions: readonly Action[], onDone: (line: string) => void): Promise<void> {
  for (const action of actions) {
    if (action.do === 'open') {
      const { title, body, labels } = action
      const opened = z.object({ number: z.number() }).safeParse(await repository.post('/issues', { title, body, labels }))
      onDone(`${actionLine(action)}${opened.success ? ` is #${opened.data.number}` : ''}`)
    } else {
      if (action.do === 'update') await update(repository, action)
      onDone(actionLine(action))
    }
  }
}

/** The comment last: were the change refused after it, every night would write it once more. */
async function update(repository: Repository, { number, comment, body, labels, state, stateReason }: Extract<Action, { do: 'update' }>): Promise<void> {
  const changes = {
    ...(body === undefined ? {} : { body }),
    ...(labels === undefined ? {} : { labels }),
    ...(state === undefined ? {} : { state }),
    ...(stateReason === undefined ? {} : { state_reason: stateReason }),
  }
  if (Object.keys(changes).length > 0) await repository.patch(`/issues/${number}`, changes)
  if (comment !== undefined) await repository.post(`/issues/${number}/comments`, { body: comment })
}
