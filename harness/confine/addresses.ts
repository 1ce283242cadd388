/** What an address in a configuration is: Caddy's network addresses, and host names in texts. */
import type { Json } from './json.ts'

export interface NetworkAddress {
  /** `tcp`, `tcp4`, `udp`, `unix`, `fd`, …; `tcp` where the address names none. */
  readonly network: string
  /** Empty for "every interface"; the path for `unix`. */
  readonly host: string
  /** Ports as numbers, bounds included; null where there is none or it is a placeholder. */
  readonly ports: { readonly first: number; readonly last: number } | null
}

/** Reads `[network/]host:port[-port]`, as Caddy writes its addresses. */
export function parseNetworkAddress(address: string): NetworkAddress {
  const slash = /^([a-zA-Z0-9+]+)\/(.*)$/s.exec(address)
  const network = (slash?.[1] ?? 'tcp').toLowerCase()
  const rest = slash?.[2] ?? address
  if (/^(unix|fd)/.test(network)) return { network, host: rest, ports: null }
  const split = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+)(?:-(\d+))?)?$/.exec(rest)
  if (!split) return { network, host: rest, ports: null }
  const first = split[3] === undefined ? null : Number(split[3])
  const last = split[4] === undefined ? first : Number(split[4])
  const ports = first === null || last === null ? null : { first, last }
  return { network, host: split[1] ?? split[2] ?? '', ports }
}

/** True for a host that cannot leave this machine: 127.0.0.0/8, ::1, `localhost`. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  if (bare === 'localhost' || bare === '::1') return true
  const parts = /^127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(bare)
  return parts !== null && parts.slice(1).every((part) => Number(part) <= 255)
}

/** True for `host:port` over TCP or UDP on loopback with a literal port, and nothing else. */
export function isLoopbackAddress(address: string): boolean {
  const { network, host, ports } = parseNetworkAddress(address)
  return /^(tcp|udp)[46]?$/.test(network) && ports !== null && isLoopbackHost(host)
}

/** The addresses named anywhere in a value: URLs, `host:port`, dotted names, IP addresses. */
export function addressesIn(value: Json): string[] {
  if (typeof value === 'string') return isAddressLike(value) ? [value] : []
  if (value === null || typeof value !== 'object') return []
  const inner = Array.isArray(value) ? value : Object.values(value)
  return [...new Set(inner.flatMap(addressesIn))]
}

function isAddressLike(text: string): boolean {
  if (/\s/.test(text)) return false
  if (/^[a-z][\w+.-]*:\/\/\S/i.test(text) || /^(unix|tcp|udp)[^/]*\//.test(text)) return true
  if (/^\[?[\da-f]*:[\da-f:.]+\]?(:\d+)?$/i.test(text)) return true
  if (/^[\w.-]+:\d+$/.test(text)) return true
  return /^(\*\.)?([\w-]+\.)+([a-z][\w-]*|\d{1,3})(\/\d+)?$/i.test(text)
}
