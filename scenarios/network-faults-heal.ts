import { defineScenario } from '../harness/scenario.ts'
import { linkCut } from '../harness/faults/link-cut.ts'
import { linkForgets } from '../harness/faults/link-forgets.ts'
import { linkSilent } from '../harness/faults/link-silent.ts'
import { linkSlow } from '../harness/faults/link-slow.ts'
import { pause } from '../harness/faults/pause.ts'
import { awaitEvents } from '../harness/steps/await-events.ts'
import { withClientsAtWork } from '../harness/steps/clients-at-work.ts'
import { fault } from '../harness/steps/fault.ts'
import { readAllFromStart } from '../harness/steps/read-all.ts'
import { liveReadersMissNothing, liveReadersResume, nothingAcknowledgedIsLost, nothingIsTorn, nothingIsTwice, nothingRefusedIsStored, orderIsKept } from '../harness/checks.ts'

const slow = { latencyMs: 80, bytesPerSecond: 40_000, sliceBytes: 37 }
/** Writers go on meanwhile, by ways that still work. */
const between = awaitEvents('append.ok', 60)

export default defineScenario({
  id: 'network-faults-heal',
  title: 'Readers recover by themselves from links that are cut, silent or slow, and from a pause',
  why: 'A switch that restarts, a NAT that forgets or a link at its limit leaves readers that are stuck, or that missed something.',
  proves: ['network-faults'],
  timeoutMs: { quick: 120_000, full: 240_000 },
  world: { hops: ['origin', 'edge', 'tls'], links: ['clients-edge'] },
  runs: 'beside-others',
  steps: withClientsAtWork([
    fault(linkCut('edge-origin'), { lastsMs: 1_500 }),
    between,
    fault(linkSilent('edge-origin'), { lastsMs: 2_000 }),
    between,
    fault(linkSlow('edge-origin', slow), { lastsMs: 2_000 }),
    between,
    fault(linkCut('clients-edge'), { lastsMs: 1_500 }),
    between,
    fault(linkForgets('clients-edge'), { lastsMs: 2_000 }),
    between,
    fault(linkSlow('clients-edge', slow), { lastsMs: 2_000 }),
    between,
    fault(pause('origin'), { lastsMs: 1_500 }),
    between,
    fault(pause('edge'), { lastsMs: 1_500 }),
  ]),
  healed: [readAllFromStart({ via: ['origin', 'edge', 'tls'] })],
  checks: [
    liveReadersMissNothing(),
    liveReadersResume(),
    nothingAcknowledgedIsLost(),
    nothingIsTwice(),
    nothingIsTorn(),
    nothingRefusedIsStored(),
    orderIsKept(),
  ],
})
