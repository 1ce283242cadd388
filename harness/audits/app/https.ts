/** No address of a stream in production code begins with http://, but for this very machine. Pure. */
import type { Place, RuleOutcome } from '../finding.ts'
import { judgeUses, right, skip, type Opinion } from '../judging.ts'
import { isStreamRequest } from '../stream-addresses.ts'
import type { AppRule } from '../rule.ts'
import type { Facts, Use, UseWay } from '../source/client-uses.ts'
import { alternatives, markedText, unknown, type Value } from '../source/values.ts'

const fix = 'Use an https:// address: tokens and signed addresses are readable on the way, and HTTP/1.1 holds browsers to about 6 connections.'
const hole = '\u{FFFC}'

export default { row: 'https', things: ['address of a stream', 'addresses of streams'], judge: https } satisfies AppRule

function https(facts: Facts): RuleOutcome {
  const uses = facts.uses.filter((use) => use.api !== 'producer')
  return judgeUses('https', uses, (options, way, use) => judge(options, way, use, facts))
}

function judge(options: Value, way: UseWay, use: Use, facts: Facts): Opinion {
  const { evaluator } = facts
  if (use.api === 'request' && !isStreamRequest(way, evaluator)) return skip
  if (use.name === 'handle.create()' || use.name === 'handle.stream()') return skip
  const address = use.api === 'request' ? (way.args[0] ?? unknown) : evaluator.member(options, 'url')
  const possible = alternatives(address)
  const opinions = possible.map((one) => at(ofAddress(one), placeOf(one, facts)))
  const wrong = opinions.find((one) => one.kind === 'wrong')
  // The fallback of a setting is taken where the setting is forgotten: likely, not certain.
  if (wrong && possible.length > 1 && wrong.kind === 'wrong') return { ...wrong, severity: 'warning' }
  return wrong ?? opinions.find((one) => one.kind === 'remark') ?? right
}

/** Where the scheme is written: that is what to mend, and once, however often it is used. */
function placeOf(address: Value, { project }: Facts): Place | undefined {
  if (address.kind !== 'text' || !address.at) return undefined
  return project.file(address.at.file)?.syntax.placeOf(address.at.node)
}

function ofAddress(address: Value): Opinion {
  const text = markedText(address)
  const host = text === null ? null : plainHost(text)
  if (host === null) return right
  if (host === '' || host.includes(hole)) return { kind: 'wrong', severity: 'warning', message: 'The address begins with http://, whatever host is put into it.', fix }
  if (isLoopback(host)) return { kind: 'remark', message: `The address is http://${host}: right for a server on the same machine, for nobody else.`, fix: 'Take the address from a setting, so that production can have its own.' }
  if (isPrivate(host)) return { kind: 'wrong', severity: 'warning', message: `The address is http://${host}: what is sent there can be read on the private network.`, fix }
  return { kind: 'wrong', message: `The address is http://${host}: what is sent there, tokens too, can be read on the way.`, fix }
}

/** Null for an address that is not plain HTTP, or does not show its scheme. */
function plainHost(text: string): string | null {
  const match = /^\s*http:\/\/([^/?#]*)/i.exec(text)
  if (!match) return null
  const authority = match[1]!.replace(/^.*@/, '')
  return authority.startsWith('[') ? authority.replace(/\](:.*)?$/, ']') : authority.replace(/:[^:]*$/, '')
}

/** RFC 6761, 6.3, and the loopback networks; names that merely look like them are not. */
function isLoopback(host: string): boolean {
  return /^(localhost|([a-z\d-]+\.)+localhost|127(\.\d{1,3}){3}|0\.0\.0\.0|\[::1\])\.?$/i.test(host)
}

/** Names without a dot, and those and the networks that never leave a site. */
function isPrivate(host: string): boolean {
  return /^([^.:]+|.*\.(internal|local|lan|svc|cluster\.local|home\.arpa|flycast)|10(\.\d{1,3}){3}|192\.168(\.\d{1,3}){2}|172\.(1[6-9]|2\d|3[01])(\.\d{1,3}){2})$/i.test(host)
}

function at(opinion: Opinion, place: Place | undefined): Opinion {
  return opinion.kind === 'skip' || opinion.kind === 'right' ? opinion : { ...opinion, at: place }
}
