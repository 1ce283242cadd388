/** The configurations that are mutated: how each is given to the public command, and what can be changed in it. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { edgeById } from '../edges/edges.ts'
import { UsageError } from '../errors.ts'
import type { RowId } from '../checklist.ts'
import type { HopId } from '../history.ts'
import type { Mutation } from '../mutation.ts'
import { caddyfileMutations } from './caddyfile-mutations.ts'
import type { MutantsOptions } from './options.ts'

export interface MutatedFile {
  /** From the project's root, or as given. */
  file: string
  /** Of the public command. */
  flag: string
  /** Only scenarios with this hop can notice it. */
  hop: HopId
  mutations: Mutation[]
}

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Where no reason names a row: what the configuration is there for. */
const rowsWithoutReason: Record<HopId, RowId[]> = {
  edge: ['cdn-collapse', 'cdn-freshness'],
  origin: ['persistence-data-dir', 'ops-restart'],
  tls: ['https'],
}

/** @throws UsageError for a configuration that cannot be read */
export function mutatedFiles({ target, edge: edgeId, edgeConfig }: Pick<MutantsOptions, 'target' | 'edge' | 'edgeConfig'>): MutatedFile[] {
  const edge = edgeById(edgeId)
  const all: Record<Exclude<MutantsOptions['target'], 'all'>, () => MutatedFile> = {
    edge: () => mutated(edgeConfig ?? edge.config.recommended, { flag: '--edge-config', hop: 'edge', mutate: edge.mutations, given: edgeConfig !== undefined }),
    caddyfile: () => mutated('caddy/Caddyfile', { flag: '--caddyfile', hop: 'origin', mutate: caddyfileMutations, given: false }),
    tls: () => mutated('caddy/tls-edge.Caddyfile', { flag: '--tls-caddyfile', hop: 'tls', mutate: caddyfileMutations, given: false }),
  }
  return target === 'all' ? Object.values(all).map((make) => make()) : [all[target]()]
}

interface How {
  flag: string
  hop: HopId
  mutate(name: string, source: string): Mutation[]
  given: boolean
}

function mutated(file: string, { flag, hop, mutate, given }: How): MutatedFile {
  const place = given ? path.resolve(file) : path.join(root, file)
  let source: string
  try {
    source = readFileSync(place, 'utf8')
  } catch (error) {
    throw new UsageError(`${place} cannot be read (${(error as NodeJS.ErrnoException).code}); give the path of a readable file.`)
  }
  const mutations = mutate(path.basename(file), source).map((mutation) => ({
    ...mutation,
    rows: mutation.rows.length > 0 ? mutation.rows : rowsWithoutReason[hop],
  }))
  return { file, flag, hop, mutations }
}
