/**
 * A capsule: all that it takes to see one failure again, here or on a colleague's machine: the scenario as
 * it ran, seed and sizes, the configurations without their secrets, and what was found. Under 1 MB.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { z } from 'zod'
import { redactText } from '../confine/redact.ts'
import { UsageError } from '../errors.ts'
import { hopIdentity } from '../report/result.ts'
import { parseSaved } from '../saved-json.ts'
import type { Scenario } from '../scenario.ts'

/** A configuration: its own file first, then what it includes, by paths from its folder. */
const configuration = z.array(z.strictObject({ name: z.string(), text: z.string() }))

const capsuleSchema = z.strictObject({
  schemaVersion: z.literal(1),
  harness: z.strictObject({ version: z.string(), commit: z.string().nullable(), dirty: z.boolean() }),
  runId: z.string(),
  subject: z.strictObject({ kind: z.enum(['production', 'reference']), version: z.string(), hops: z.array(hopIdentity) }),
  runtime: z.enum(['processes', 'containers']),
  seed: z.number().int(),
  sizes: z.strictObject({ profile: z.enum(['quick', 'full', 'soak']), forMs: z.number(), readers: z.number().int(), streams: z.number().int(), staleMs: z.number() }),
  edge: z.string(),
  /** Of the user: missing where the project's own ran. */
  configurations: z.strictObject({ caddyfile: configuration.optional(), tlsCaddyfile: configuration.optional(), edgeConfig: configuration.optional() }),
  /** Validated by running it: its steps and checks are looked up by their names. */
  scenario: z.looseObject({ id: z.string() }),
  failure: z.strictObject({ check: z.string(), fingerprint: z.string(), because: z.string(), evidence: z.array(z.string()) }),
})

export type Capsule = Omit<z.infer<typeof capsuleSchema>, 'scenario'> & { scenario: Scenario }
export type Configurations = Capsule['configurations']

const bytesMax = 1_000_000
/** Of what a capsule unpacks to: one that was made to harm ends here. */
const unpackedBytesMax = 64 * 1024 ** 2

/** Writes the capsules into `<folder>/capsules/`, and returns the names of those that were too large to keep. */
export async function saveCapsules(folder: string, capsules: readonly Capsule[]): Promise<string[]> {
  if (capsules.length === 0) return []
  await mkdir(path.join(folder, 'capsules'), { recursive: true })
  const tooLarge: string[] = []
  const names = new Map<string, number>()
  for (const capsule of capsules) {
    const base = `capsule.${capsule.scenario.id}.${capsule.failure.check}`
    const nth = (names.get(base) ?? 0) + 1
    names.set(base, nth)
    const packed = await promisify(gzip)(JSON.stringify(capsule))
    const name = `${base}${nth === 1 ? '' : `.${nth}`}.json.gz`
    if (packed.length > bytesMax) tooLarge.push(name)
    else await writeFile(path.join(folder, 'capsules', name), packed)
  }
  return tooLarge
}

/** Throws UsageError for a file that is no capsule of this version. */
export async function readCapsule(file: string): Promise<Capsule> {
  let text: string
  try {
    const bytes = await readFile(file)
    const packed = bytes[0] === 0x1f && bytes[1] === 0x8b
    text = (packed ? await promisify(gunzip)(bytes, { maxOutputLength: unpackedBytesMax }) : bytes).toString('utf8')
  } catch (error) {
    throw new UsageError(`The capsule ${file} cannot be read (${(error as NodeJS.ErrnoException).code}); it lies below capsules/ in a run's folder.`)
  }
  return parseSaved(capsuleSchema, text, `${file} is no capsule`) as unknown as Capsule
}

/**
 * A configuration's files as they go into a capsule: without what looks like a secret, and without those that
 * lie outside of its own folder, which a colleague has to bring himself.
 */
export async function packConfiguration(files: readonly string[]): Promise<z.infer<typeof configuration>> {
  const folder = path.dirname(files[0]!)
  const inside = files.filter((file) => !path.relative(folder, file).startsWith('..'))
  return Promise.all(inside.map(async (file) => ({ name: path.relative(folder, file), text: redactText(await readFile(file, 'utf8')) })))
}

export interface UnpackedConfigurations extends AsyncDisposable {
  /** Where each kind's own file lies. */
  files: { [Kind in keyof Configurations]?: string }
}

/** Writes a capsule's configurations into a temporary folder, which disposing removes. */
export async function unpackConfigurations({ configurations }: Capsule): Promise<UnpackedConfigurations> {
  await using unpacking = new AsyncDisposableStack()
  const folder = await mkdtemp(path.join(tmpdir(), 'capsule-'))
  unpacking.defer(() => rm(folder, { recursive: true, force: true }))
  const files: UnpackedConfigurations['files'] = {}
  for (const [kind, given] of Object.entries(configurations) as [keyof Configurations, z.infer<typeof configuration>][]) {
    for (const { name, text } of given) await writeInside(path.join(folder, kind), name, text)
    files[kind] = path.join(folder, kind, given[0]!.name)
  }
  const owned = unpacking.move()
  return { files, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** A name that leads elsewhere is not of ours. */
async function writeInside(folder: string, name: string, text: string): Promise<void> {
  const file = path.resolve(folder, name)
  if (path.relative(folder, file).startsWith('..')) throw new UsageError(`The capsule holds a file named ${JSON.stringify(name)}, which leads out of its folder; it is not replayed.`)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, text)
}
