/** The disk space of expired streams is given back within the bound. */
import type { Check } from '../check.ts'
import { duration } from '../report/figures.ts'
import { fail, notApplicable, pass, unknown } from '../verdict.ts'

interface State {
  samples: { atMs: number; bytes: number; what: string }[]
  boundMs: number
  /** When the last of the streams expired. */
  expiredAtMs: number | null
}

/** A tenth of what was written may stay: file systems and metadata stores shrink in steps. */
const shareLeftMax = 0.1

export const diskComesBackCheck: Check<State, object> = {
  id: 'disk-comes-back',
  title: 'The disk space of expired streams comes back within the bound',
  hangsOnTime: true,
  init: () => ({ samples: [], boundMs: 0, expiredAtMs: null }),
  step(state, event) {
    if (event.kind !== 'sample') return
    if (event.name === 'disk-bound-ms') state.boundMs = event.value
    if (event.name === 'disk-expires-in-ms') state.expiredAtMs = event.atMs + event.value
    if (event.name === 'data-dir-bytes') {
      state.samples.push({ atMs: event.atMs, bytes: event.value, what: event.label ?? '' })
    }
  },
  finish(state) {
    const { before, full, after } = turningPoints(state)
    if (state.samples.length === 0) return notApplicable('This origin has no data_dir on disk.')
    if (!before || !full || !after) return unknown('The disk was not sampled before, at and after the expiry.')
    const written = full.bytes - before.bytes
    const left = after.bytes - before.bytes
    if (written <= 0) return unknown('The streams that were to expire took no disk space.')
    const figures = { value: Math.round((100 * left) / written), unit: '% left', limit: shareLeftMax * 100 }
    const sizes = `${mebibytes(left)} of ${mebibytes(written)} MiB`
    if (left > written * shareLeftMax) {
      const evidence = [before, full, after].map((sample) => `${sample.what}: ${sample.bytes.toLocaleString('en-US')} bytes below data_dir`)
      return fail(state.samples.length, `${sizes} were still on disk ${duration(state.boundMs)} after the streams expired.`, evidence, 'disk-comes-back/kept/ttl/expiry/origin', figures)
    }
    return pass(state.samples.length, `${sizes} were left within ${duration(state.boundMs)} of the expiry.`, figures)
  },
  measure(state) {
    const zeroMs = state.expiredAtMs ?? turningPoints(state).full?.atMs
    if (zeroMs === undefined) return {}
    return { disk: state.samples.map((sample) => ({ ...sample, atMs: Math.round(sample.atMs - zeroMs) })) }
  },
}

function turningPoints(state: State) {
  const find = (what: string) => state.samples.find((sample) => sample.what === what)
  return { before: find('before'), full: find('full'), after: find('after') }
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1)
}
