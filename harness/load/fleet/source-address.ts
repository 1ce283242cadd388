/**
 * A pair of addresses has about 28,000 local ports; larger crowds come from several addresses of
 * 127.0.0.0/8, all of which are the machine itself.
 */

const readersPerAddress = 20_000

/** The address reader i connects from; undefined lets the kernel choose. */
export function sourceAddress(targetHost: string, reader: number): string | undefined {
  const block = Math.floor(reader / readersPerAddress)
  if (block === 0 || !targetHost.startsWith('127.')) return undefined
  return `127.0.1.${block}`
}

/** How many readers can have a local port each, given how many ports one address offers. */
export function readersWithPorts(targetHost: string, portsPerAddress: number): number {
  if (!targetHost.startsWith('127.')) return portsPerAddress
  if (portsPerAddress < readersPerAddress) return portsPerAddress
  return 255 * readersPerAddress
}
