/** Hops and the links between them as a person calls them. */
import type { HopId, LinkId } from './history.ts'

export const hopWords: Record<HopId, string> = { origin: 'origin', edge: 'cache', tls: 'TLS edge' }

export const linkWords: Record<LinkId, string> = { 'clients-edge': 'clients and cache', 'edge-origin': 'cache and origin' }
