/** Varnish as an edge. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expandIncludes } from '../../confine/includes.ts'
import { readGivenText } from '../../confine/read-given-text.ts'
import { cacheFolder } from '../../provision/cache-folder.ts'
import { openIdentityCache } from '../../provision/identity-cache.ts'
import { sha256 } from '../../sha256.ts'
import type { Edge, EdgeConfig, EdgeConfigRead, EdgePlace, PreparedEdge, ProvidedEdge } from '../edge.ts'
import { compileVcl } from './compile.ts'
import { confineVcl } from './confine.ts'
import { findVarnish } from './find.ts'
import { flushVarnish, replaceVcl } from './operate.ts'
import { varnishCounters, varnishEdge } from './service.ts'
import { vclFacts } from './vcl-facts.ts'
import { vclIncludes } from './vcl-includes.ts'
import { vclMutations } from './vcl-mutations.ts'
import { parseVarnishdParameters } from './varnishd-parameters.ts'

export const varnish: Edge = {
  id: 'varnish',
  name: 'Varnish',
  config: { word: 'VCL', recommended: 'varnish/recommended.vcl', stock: 'varnish/stock.vcl' },
  image: {
    name: 'varnish',
    tag: 'docker.io/library/varnish:7.6.1',
    program: '/usr/sbin/varnishd',
    // varnishd compiles each VCL (gcc, libc6-dev, by way of a shell) and removes folders with `rm`.
    packages: ['varnish', 'gcc', 'libc6-dev', 'dash', 'coreutils'],
    companions: { varnishadm: '/usr/bin/varnishadm', varnishstat: '/usr/bin/varnishstat' },
    versionArgs: ['-V'],
  },
  find: findVarnish,
  readConfig,
  files: ({ source, file }) => expandIncludes(source, file, vclIncludes()).files,
  prepare,
  facts: vclFacts,
  mutations: vclMutations,
  // The manager says so of the child, and starts another one.
  brokeDown: /Child \(\d+\) (?:Panic|died|not responding)/,
}

const storageMebibytes = 256

async function readConfig(program: ProvidedEdge, file: string, workDir: string): Promise<EdgeConfigRead> {
  const source = await readGivenText(varnish.config.word, file)
  const files = await compileOnce(program, { file, source }, workDir)
  parseVarnishdParameters(source, file)
  return { file, source, files }
}

/**
 * A VCL that does not compile, or a compiler that does not work, is told before anything is started,
 * in the compiler's own words. What this Varnish and this compiler took once is not asked again: it
 * costs a second. Returns the files that it is made of.
 */
async function compileOnce(program: ProvidedEdge, { file, source }: EdgeConfig, workDir: string): Promise<string[]> {
  const { vcl, lines, files } = confineVcl({ source, file, backends: () => ({ host: '127.0.0.1', port: 1 }) })
  // An empty file has none, and is named all the same.
  if (lines.length === 0) lines.push({ file, line: 1 })
  const confined = path.join(workDir, 'confined.vcl')
  const compiles = async () => {
    await writeFile(confined, vcl)
    await compileVcl({ varnishdPath: program.path, file: confined, workDir: path.join(workDir, 'vcl'), lines, run: program.run })
    return true
  }
  const identities = openIdentityCache(cacheFolder(process.env))
  // The compiler of an image goes with it, and its hash stands for both.
  await identities.of(`vcl ${sha256(`${program.sha256} ${vcl}`)}`, program.companions.compiler ?? file, compiles)
  return files
}

async function prepare(place: EdgePlace): Promise<PreparedEdge> {
  const { id, program, config, port, folder } = place
  const confined = confineVcl({ ...config, backends: () => ({ host: '127.0.0.1', port: place.upstreamPort }) })
  const vclFile = path.join(place.configFolder, 'edge.vcl')
  await writeFile(vclFile, confined.vcl)
  const parameters = parseVarnishdParameters(config.source, config.file)
  const own = { id, folder, vclFile, varnishadm: program.companions.varnishadm!, varnishstat: program.companions.varnishstat! }
  return {
    service: varnishEdge({ id, varnishd: program.path, vclFile, port, folder, parameters, storageMebibytes, managementPort: place.managementPort ?? null }),
    changes: confined.changes,
    versionArgs: ['-V'],
    counters: (runtime) => varnishCounters(runtime, { id, folder }, program.companions.varnishstat!),
    routines: {
      'cache-flush': (runtime) => flushVarnish(runtime, own),
      'cache-configuration': (runtime) => replaceVcl(runtime, own),
    },
  }
}
