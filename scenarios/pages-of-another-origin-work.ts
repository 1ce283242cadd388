import { defineScenario } from '../harness/scenario.ts'
import { pageOperations } from '../harness/steps/page-operations.ts'
import { pagePreflights } from '../harness/steps/page-preflights.ts'
import { pageTabs } from '../harness/steps/page-tabs.ts'
import { kill } from '../harness/steps/start-stop.ts'
import {
  browsersAreNotHeldToSix,
  operationsWorkFromAnotherOrigin,
  pageReadsEveryHeader,
  preflightAllowsEverything,
} from '../harness/checks.ts'

export default defineScenario({
  id: 'pages-of-another-origin-work',
  title: 'A browser page of another origin can use everything, in seven tabs',
  why: 'A header that is not exposed, or an error without CORS headers, breaks clients in browsers only.',
  proves: ['cors'],
  timeoutMs: { quick: 180_000, full: 180_000 },
  world: { hops: ['origin', 'edge', 'tls'], browser: true },
  runs: 'beside-others',
  steps: [
    pageOperations({ via: ['origin', 'edge', 'tls'], kinds: ['text', 'json', 'binary'] }),
    pagePreflights({ via: ['origin', 'edge', 'tls'] }),
    pageTabs({ via: ['edge', 'tls'], tabs: 7 }),
    kill('origin'),
    pageOperations({ via: ['edge', 'tls'], kinds: ['text'], origin: 'down' }),
  ],
  checks: [
    operationsWorkFromAnotherOrigin(),
    pageReadsEveryHeader(),
    preflightAllowsEverything(),
    browsersAreNotHeldToSix({}, ['https', 'cors']),
  ],
})
