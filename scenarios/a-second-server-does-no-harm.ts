import { defineScenario } from '../harness/scenario.ts'
import { append } from '../harness/steps/append.ts'
import { createStreams } from '../harness/steps/create-streams.ts'
import { during } from '../harness/steps/during.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { secondServer } from '../harness/steps/second-server.ts'
import { nothingAcknowledgedIsLost, nothingIsRefused, nothingIsTorn, secondServerIsRefused } from '../harness/checks.ts'

export default defineScenario({
  id: 'a-second-server-does-no-harm',
  title: 'A second server on the same data_dir or port fails loudly and harms nothing',
  why: 'Two servers on one volume or one port happen at every deploy that overlaps.',
  proves: ['ops-restart'],
  timeoutMs: { quick: 60_000, full: 60_000 },
  world: { hops: ['origin'] },
  runs: 'beside-others',
  steps: [
    createStreams({ kinds: ['no-expiry', 'json'], each: 2 }),
    during(append({ writers: 4 }), [secondServer('data-dir'), secondServer('port')]),
  ],
  healed: [readAllFromStart({ via: ['origin'] })],
  checks: [secondServerIsRefused(), nothingIsRefused(), nothingAcknowledgedIsLost(), nothingIsTorn()],
})
