/** What an operator does to Varnish while it runs, by varnishadm, with Varnish's own counters as proof. */
import type { RoutineOutcome } from '../../world.ts'
import type { Runtime } from '../../runtime/runtime.ts'

export interface VarnishInHand {
  /** Of the service. */
  id: string
  folder: string
  vclFile: string
  varnishadm: string
  varnishstat: string
}

const commandMs = 20_000
let replacements = 0

/** Nothing is stored without a status. */
const everything = ['obj.status', '!=', '0']

/** Bans whatever is stored. The VCL bans by itself too: the proof is that this ban stands in the list. */
export async function flushVarnish(runtime: Runtime, varnish: VarnishInHand): Promise<RoutineOutcome> {
  const refused = await command(runtime, varnish, ['ban', ...everything])
  if (refused !== null) return { proven: false, proof: '', refused }
  const { stdout } = await runtime.run(varnish.varnishadm, ['-n', varnish.folder, 'ban.list'], { timeoutMs: commandMs, beside: varnish.id })
  const isListed = stdout.includes(everything.join(' '))
  return { proven: isListed, proof: `its ban ${isListed ? 'stands' : 'does not stand'} in Varnish's list of ${stdout.trim().split('\n').length - 1}` }
}

/** Compiles the same VCL under another name and uses it from now on, as a deploy of a VCL does. */
export async function replaceVcl(runtime: Runtime, varnish: VarnishInHand): Promise<RoutineOutcome> {
  const name = `replacement-${(replacements += 1)}`
  const before = await counter(runtime, varnish, 'n_vcl')
  const refused = (await command(runtime, varnish, ['vcl.load', name, varnish.vclFile])) ?? (await command(runtime, varnish, ['vcl.use', name]))
  if (refused !== null) return { proven: false, proof: '', refused }
  const loaded = (await counter(runtime, varnish, 'n_vcl')) - before
  const { stdout } = await runtime.run(varnish.varnishadm, ['-n', varnish.folder, 'vcl.list'], { timeoutMs: commandMs, beside: varnish.id })
  const isActive = stdout.split('\n').some((line) => line.startsWith('active') && line.includes(name))
  return { proven: isActive && loaded > 0, proof: `${loaded} more VCL loaded, and ${isActive ? 'that one is active' : 'another one is active'}` }
}

/** Null where Varnish did it, else its words. */
async function command(runtime: Runtime, { id, folder, varnishadm }: VarnishInHand, words: string[]): Promise<string | null> {
  const { code, stdout, stderr } = await runtime.run(varnishadm, ['-n', folder, ...words], { timeoutMs: commandMs, beside: id })
  return code === 0 ? null : `${words[0]}: ${(stderr + stdout).trim().slice(0, 500)}`
}

async function counter(runtime: Runtime, { id, folder, varnishstat }: VarnishInHand, name: string): Promise<number> {
  const { stdout } = await runtime.run(varnishstat, ['-1', '-j', '-n', folder, '-f', `MAIN.${name}`], { timeoutMs: commandMs, beside: id })
  const parsed = JSON.parse(stdout) as { counters?: Record<string, { value: number }> }
  return parsed.counters?.[`MAIN.${name}`]?.value ?? 0
}
