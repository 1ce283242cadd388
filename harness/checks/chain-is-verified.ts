/** The edge's certificate chain verifies for the name that clients use, and h2 is offered. */
import type { Check } from '../check.ts'
import type { Handshake } from '../history.ts'
import { fail, pass, unknown } from '../verdict.ts'

interface State {
  shakes: Handshake[]
}

export const chainIsVerifiedCheck: Check<State, object> = {
  id: 'chain-is-verified',
  title: 'A client can verify the TLS chain, and is offered HTTP/2',
  init: () => ({ shakes: [] }),
  step(state, event) {
    if (event.kind === 'handshake') state.shakes.push(event)
  },
  finish({ shakes }) {
    if (shakes.length === 0) return unknown('No TLS handshake was made.')
    const unverified = shakes.find((shake) => !shake.authorized)
    if (unverified) {
      const evidence = shakes.map(describe)
      return fail(shakes.length, `The chain does not verify for ${unverified.host}: ${unverified.error}`, evidence, 'chain-is-verified/unverified/any/none/tls')
    }
    const offered = shakes.filter((shake) => shake.label === 'offers-h2')
    if (offered.length === 0) return unknown('h2 was offered to nobody.', shakes.map(describe), shakes.length)
    const older = offered.find((shake) => shake.alpn !== 'h2')
    if (older) {
      return fail(shakes.length, `${older.via === 'tls' ? 'The edge' : 'The origin'} chose ${older.alpn ?? 'no protocol'} when h2 was offered.`, shakes.map(describe), 'chain-is-verified/no-h2/any/none/tls')
    }
    return pass(shakes.length, `${shakes.length} handshakes verified for ${offered[0]!.host} (${offered[0]!.protocol}), and h2 was chosen.`, { evidence: shakes.map(describe) })
  },
}

function describe(shake: Handshake): string {
  const state = shake.authorized ? 'verified' : `not verified (${shake.error})`
  return `${shake.via} ${shake.label}: ${state}, ${shake.protocol}, ALPN ${shake.alpn}, names ${shake.subjectAltNames.join(' ')}, chain of ${shake.chainLength}`
}
