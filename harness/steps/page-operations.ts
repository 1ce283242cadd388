/**
 * The client from npm in a page of another origin, and the same program in Node as the control: each
 * operation's outcome and what could be read off its answers, by each way.
 */
import { openNodeFetch } from '../browser/node-fetch.ts'
import { withPages, type Pages } from '../browser/open-pages.ts'
import { openSession, operationNames, whileDownNames, type OperationReport, type PageKind, type PagePlan } from '../browser/page-program.ts'
import type { PageOperation, Via } from '../history.ts'
import { urlByName } from '../operations.ts'
import type { Interpreter, StepContext } from '../step.ts'

export interface PageOperations {
  kind: 'page-operations'
  via: Via[]
  kinds: PageKind[]
  origin: 'up' | 'down'
}

/** Every operation of the client on a stream of each kind; with the origin down, what is left of them. */
export function pageOperations(options: Omit<PageOperations, 'kind' | 'origin'> & { origin?: 'down' }): PageOperations {
  return { kind: 'page-operations', origin: 'up', ...options }
}

/** Runs operations one after another and tells what came of each. */
interface Runner {
  where: PageOperation['where']
  by: string
  run(plan: PagePlan, operation: string): Promise<OperationReport & { kept?: string[] }>
}

export const pageOperationsInterpreter: Interpreter<PageOperations> = async (step, context) => {
  await withPages(context, 'What pages of another origin can do was not looked at', async (pages) => {
    await Promise.all(step.via.flatMap((via) => [inPage(step, context, via, pages), inNode(step, context, via)]))
  })
}

async function inPage(step: PageOperations, context: StepContext, via: Via, pages: Pages): Promise<void> {
  const window = await pages.window()
  const { page, kept } = await pages.open(window)
  await runAll(step, context, via, {
    where: 'page',
    by: pages.version,
    async run(plan, operation) {
      const report = await page.evaluate(runInPage, { plan, operation })
      const words = await kept()
      return words.length > 0 ? { ...report, kept: words } : report
    },
  })
  await window.close()
}

type Session = ReturnType<typeof openSession>

/** Runs in the page, which keeps its sessions; nothing of this module is there. */
function runInPage({ plan, operation }: { plan: PagePlan; operation: string }): Promise<OperationReport> {
  const here = globalThis as unknown as { program: { openSession: typeof openSession }; sessions?: Record<string, Session> }
  const sessions = (here.sessions ??= {})
  const session = (sessions[plan.prefix + plan.kind] ??= here.program.openSession(plan, (...request) => fetch(...request)))
  return session.run(operation)
}

async function inNode(step: PageOperations, context: StepContext, via: Via): Promise<void> {
  await using node = openNodeFetch(context.world.endpoint(via))
  const sessions = new Map<string, Session>()
  await runAll(step, context, via, {
    where: 'node',
    by: `Node ${process.versions.node}`,
    run(plan, operation) {
      const session = sessions.get(plan.kind) ?? openSession(plan, node.fetch)
      sessions.set(plan.kind, session)
      return session.run(operation)
    },
  })
}

async function runAll(step: PageOperations, context: StepContext, via: Via, { where, by, run }: Runner): Promise<void> {
  const { world, recorder, signal } = context
  const base = `${urlByName(world.endpoint(via))}${world.capabilities.streamBase}`
  for (const kind of step.kinds) {
    const plan = { base, prefix: `page-${where}-${via}-${step.origin}`, kind }
    for (const operation of step.origin === 'up' ? operationNames : whileDownNames) {
      signal.throwIfAborted()
      const report = await run(plan, operation)
      recorder.record({ kind: 'page-operation', via, where, by, operation, streamKind: kind, ...report })
    }
  }
}
