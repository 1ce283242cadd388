/**
 * Loaded before the suite's tests, in their worker: lets them reach a subject as its clients would,
 * and keeps suites apart that run at one origin at the same time.
 */
import dns from 'node:dns'
import tls from 'node:tls'
import type { SuitePlan } from './suite-plan.ts'

const { url, caPem, headers, place } = JSON.parse(process.env['CONFORMANCE_PLAN']!) as SuitePlan

// The subject answers to a name of its own, and is found on loopback.
const lookup = dns.lookup as (name: string, options: object, callback: unknown) => void
dns.lookup = ((name: string, options: object, callback: unknown) =>
  lookup(name === new URL(url).hostname ? '127.0.0.1' : name, options, callback)) as typeof dns.lookup

if (caPem !== null) tls.setDefaultCACertificates([caPem])

// Credentials, which the suite knows nothing of. Where none are asked for, its requests pass as it makes them.
const own = Object.entries(headers)
if (own.length > 0) {
  const ask = globalThis.fetch
  globalThis.fetch = (input, init) => {
    const request = new Request(input, init)
    for (const [name, value] of own) request.headers.set(name, value)
    return ask(request)
  }
}

// The suite names its streams after the millisecond: each of several knows milliseconds of its own.
const now = Date.now
Date.now = () => {
  const ms = now()
  return ms - (ms % place.of) + place.index
}
