/** Hops and the links between them as a person calls them. */
import type { HopId, LinkId, Via } from './history.ts'

export const hopWords: Record<HopId, string> = { origin: 'origin', edge: 'cache', tls: 'TLS edge' }

/** The ways through them. */
export const viaWords: Partial<Record<Via, string>> = { origin: 'the origin', edge: 'the cache', tls: 'TLS and cache' }

export const linkWords: Record<LinkId, string> = { 'clients-edge': 'clients and cache', 'edge-origin': 'cache and origin' }
