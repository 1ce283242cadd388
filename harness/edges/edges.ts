/** All edges. A new one is a folder beside this file and a line in this list. */
import type { Edge } from './edge.ts'
import { nginx } from './nginx/nginx.ts'
import { varnish } from './varnish/varnish.ts'

export const edges: readonly Edge[] = [varnish, nginx]
export const defaultEdge: Edge = varnish

/** The edge of this id; the command line has allowed no other. */
export function edgeById(id: string): Edge {
  return edges.find((edge) => edge.id === id) ?? defaultEdge
}
