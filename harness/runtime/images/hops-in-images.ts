/** The edge's program and Caddy as a run in containers has them: in its images, whatever this host has. */
import type { RunProgram } from '../../confine/run-program.ts'
import type { Edge } from '../../edges/edge.ts'
import { HarnessError, UsageError } from '../../errors.ts'
import type { Hops } from '../../provision/provision.ts'
import type { ProvidedServer } from '../../provision/server-binary.ts'
import type { ImageRole, Runtime } from '../runtime.ts'

const askMsMax = 60_000

/** @throws UsageError where an image does not hold what it should */
export async function hopsInImages(runtime: Runtime, server: ProvidedServer, edge: Edge): Promise<Hops> {
  const [program, caddy] = await Promise.all([edgeIn(runtime, edge), caddyIn(runtime, server)])
  return { edge: program, caddy }
}

async function edgeIn(runtime: Runtime, { image: { program, companions, versionArgs } }: Edge): Promise<Hops['edge']> {
  const image = runtime.image('edge')!
  const version = await versionIn(runtime, 'edge', versionArgs)
  return { path: program, version, sha256: image.programSha256 ?? image.id, companions, run: inImage(runtime, 'edge') }
}

/** The production server is a whole Caddy: its image serves for both, and on this host it was asked who it is. */
async function caddyIn(runtime: Runtime, server: ProvidedServer): Promise<Hops['caddy']> {
  if (server.kind === 'production') {
    const { path, sha256, caddyVersion } = server
    return { path, sha256, version: caddyVersion, source: 'the server binary' }
  }
  const image = runtime.image('caddy')!
  const version = await versionIn(runtime, 'caddy', ['version'])
  const sha256 = image.programSha256 ?? image.id
  return { path: '/usr/bin/caddy', sha256, version, source: image.reference, run: inImage(runtime, 'caddy') }
}

async function versionIn(runtime: Runtime, role: ImageRole, args: readonly string[]): Promise<string> {
  const image = runtime.image(role)!
  const { code, stdout, stderr } = await runtime.runIn(role, [...args], { timeoutMs: askMsMax })
  const version = /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0]
  if (code === 0 && version !== undefined) return version
  throw new UsageError(
    `The image ${image.reference} does not tell the version of its program (${(stderr || stdout).trim().split('\n')[0] || `exit code ${code}`}): remove it with "docker rmi", so that it is made again, or run without containers: --runtime processes.`,
  )
}

/** Runs the image's program, whatever path it is called by here. */
function inImage(runtime: Runtime, role: ImageRole): RunProgram {
  return async (_program, { args, ...options }) => {
    try {
      const { code, ...said } = await runtime.runIn(role, args, options)
      return { exitCode: code ?? undefined, ...said, timedOut: false, shortMessage: 'it was ended by a signal' }
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error
      return { exitCode: undefined, stdout: '', stderr: '', timedOut: false, shortMessage: error.message.replace(/\.$/, '') }
    }
  }
}
