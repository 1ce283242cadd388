/** nginx as an edge: `proxy_cache` with its lock. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { searchPath } from '../../confine/environment.ts'
import { expandIncludes } from '../../confine/includes.ts'
import { readGivenText } from '../../confine/read-given-text.ts'
import type { Edge, EdgeConfigRead, EdgePlace, PreparedEdge, ProvidedEdge } from '../edge.ts'
import { testNginx } from './compile.ts'
import { confineNginx, nginxIncludes } from './confine.ts'
import { findNginx } from './find.ts'
import { nginxMutations } from './nginx-mutations.ts'

const versionArgs = ['-v']

export const nginx: Edge = {
  id: 'nginx',
  name: 'nginx',
  config: { word: 'nginx.conf', recommended: 'nginx/recommended.conf', stock: 'nginx/stock.conf' },
  image: {
    name: 'nginx',
    tag: 'docker.io/library/nginx:1.28.0',
    program: '/usr/sbin/nginx',
    packages: ['nginx'],
    companions: {},
    versionArgs,
  },
  find: findNginx,
  readConfig,
  files: ({ source, file }) => expandIncludes(source, file, nginxIncludes(file)).files,
  prepare,
  mutations: nginxMutations,
  brokeDown: /worker process \d+ exited on signal/,
}

async function readConfig(program: ProvidedEdge, file: string, workDir: string): Promise<EdgeConfigRead> {
  const source = await readGivenText(nginx.config.word, file)
  const place = { port: 1, upstreamPort: 2, folder: path.join(workDir, 'nginx'), user: user() }
  const { text, lines, files } = confineNginx({ source, file, ...place })
  const confined = path.join(workDir, 'confined.conf')
  await writeFile(confined, text)
  await testNginx({ program: program.path, file: confined, workDir: place.folder, lines, run: program.run })
  return { file, source, files }
}

/** Started as root, workers would become somebody else, who may not write into the run's folder. */
function user(): string | null {
  return process.getuid?.() === 0 ? 'root' : null
}

async function prepare(place: EdgePlace): Promise<PreparedEdge> {
  const { id, program, config, port, upstreamPort, folder } = place
  const confined = confineNginx({ ...config, port, upstreamPort, folder, user: user() })
  const file = path.join(place.configFolder, 'edge.conf')
  await writeFile(file, confined.text)
  return {
    service: {
      id,
      program: program.path,
      image: 'edge',
      args: ['-e', 'stderr', '-p', `${folder}/`, '-c', file, '-g', 'daemon off;'],
      env: { PATH: searchPath(process.env), HOME: folder },
      cwd: folder,
      ports: [port],
      ready: { kind: 'tcp', port },
      readyWithinMs: 30_000,
      stopSignal: 'SIGTERM',
      stopGraceMs: 10_000,
    },
    changes: confined.changes,
    versionArgs,
    // It counts connections, but neither hits nor what it asked of the origin.
    counters: async () => null,
  }
}
