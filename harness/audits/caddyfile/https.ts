/** Where TLS ends in this file it ends for every stream; where it does not, it can end in front. Pure. */
import type { CaddyfileFacts, StreamSite } from '../caddyfile-facts.ts'
import type { Finding, RuleOutcome } from '../finding.ts'
import type { CaddyfileRule } from '../rule.ts'

export default { row: 'https', things: ['address that serves streams', 'addresses that serve streams'], judge: https } satisfies CaddyfileRule

const rule = 'https'
const risk = 'what is sent there, tokens too, can be read on the way, and browsers are held to about 6 connections'

function https(facts: CaddyfileFacts): RuleOutcome {
  const plain = facts.sites.filter(({ tls, isLoopback }) => !tls && !isLoopback)
  const findings = [...noCertificate(facts), ...plain.flatMap((site) => ofPlainSite(site, facts)), ...internal(facts)]
  return { examined: facts.sites.length, findings }
}

/** The cache in front may need plain HTTP (Varnish speaks no TLS), so an inner listener is right; public names are not inner. */
function ofPlainSite(site: StreamSite, { sites, expected }: CaddyfileFacts): Finding[] {
  const name = site.hosts.find(isPublic)
  if (name !== undefined && sites.some((other) => other.tls && other.hosts.includes(name))) {
    return [{ rule, severity: 'error', ...site.place, message: `Streams of ${name} are served by plain HTTP (${site.address}) beside HTTPS: ${risk}.`, fix: `Serve them at https://${name} only; Caddy then redirects http:// by itself.` }]
  }
  if (name !== undefined && !expected.tlsInFront) {
    return [{ rule, severity: 'warning', ...site.place, undecided: true, message: `Streams of ${name} are served by plain HTTP only (${site.address}): unless TLS ends in front of this server, ${risk}.`, fix: `Write ${name} without http://, and Caddy gets a certificate; where TLS ends in front, give that file with --tls-caddyfile, or listen on an inner address (http://:4437).` }]
  }
  if (site.port === 80 && site.hosts.length === 0 && !expected.tlsInFront) {
    return [{ rule, severity: 'note', ...site.place, message: `Streams are served by plain HTTP at ${site.address}: right behind a cache on the same network where TLS ends in front, wrong for clients.`, fix: 'Give the site its public name, and Caddy gets a certificate; or listen on an inner port that no client can reach.' }]
  }
  return []
}

function noCertificate({ noCertificate: found }: CaddyfileFacts): Finding[] {
  if (!found) return []
  return [{ rule, severity: 'error', ...found.place, message: `auto_https is off and no certificate is given: no TLS handshake at ${found.listens} succeeds, so no client reaches a stream.`, fix: 'Leave auto_https out (or set it to disable_redirects), or give the site a certificate: tls cert.pem key.pem' }]
}

function internal({ internalCertificates }: CaddyfileFacts): Finding[] {
  return internalCertificates
    .filter(({ name }) => isPublic(name))
    .map(({ name, place }) => ({ rule, severity: 'note', ...place, message: `${name} gets a certificate of Caddy's internal authority: only clients that were told to trust it can verify it.`, fix: 'Leave tls internal (or local_certs) out in production, and Caddy asks a public authority.' }))
}

/** Not of this machine, and not of a network that never leaves a site (RFC 6761, 6762, 8375). */
function isPublic(host: string): boolean {
  if (/^[\d.]+$|^\[|:/.test(host)) return false
  return host.includes('.') && !/(^|\.)(localhost|local|internal|lan|test|home\.arpa|svc|cluster\.local)\.?$/i.test(host)
}
