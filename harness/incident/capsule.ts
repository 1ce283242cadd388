/**
 * A capsule: all that it takes to see one failure again, here or on a colleague's machine: the scenario as
 * it ran, seed and sizes, the configurations without their secrets, and what was found. Under 1 MB.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { z } from 'zod'
import { redactText } from '../confine/redact.ts'
import { UsageError } from '../errors.ts'
import { capsuleNames } from '../report/capsule-name.ts'
import { hopIdentity } from '../report/result.ts'
import { parseSaved } from '../saved-json.ts'
import type { Scenario } from '../scenario.ts'

/** A configuration: its own file first, then what it includes, by paths from the folder that holds them all. */
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
  scenario: z.looseObject({ id: z.string().regex(/^[A-Za-z0-9][\w.-]*$/, 'names no file') }),
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
  const names = capsuleNames(capsules.map(({ scenario, failure }) => ({ scenario: scenario.id, check: failure.check })))
  for (const [index, capsule] of capsules.entries()) {
    const packed = await promisify(gzip)(JSON.stringify(capsule))
    const name = names[index]!
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

/** Stands in the texts of a capsule for the folder that its files lie in. */
const folderMark = '{capsule-folder}'

/**
 * A configuration's files as they go into a capsule, by paths from the folder that holds them all: without
 * what looks like a secret, and with a mark in place of that folder wherever a text names it, so that includes
 * by absolute paths are found again.
 */
export async function packConfiguration(files: readonly string[]): Promise<z.infer<typeof configuration>> {
  const root = commonFolder(files)
  const folders = [...new Set(files.map((file) => path.dirname(file)))].filter((folder) => folder !== path.parse(folder).root).toSorted((a, b) => b.length - a.length)
  const marked = (text: string) => folders.reduce((marked, folder) => marked.replaceAll(`${folder}/`, path.posix.join(folderMark, path.relative(root, folder), '/')), text)
  return Promise.all(files.map(async (file) => ({ name: path.relative(root, file), text: marked(redactText(await readFile(file, 'utf8'))) })))
}

function commonFolder(files: readonly string[]): string {
  let folder = path.dirname(files[0]!)
  const holds = (file: string) => !path.relative(folder, file).startsWith('..')
  while (!files.every(holds)) folder = path.dirname(folder)
  return folder
}

/** Where each kind's own file lies. */
export type UnpackedConfigurations = { [Kind in keyof Configurations]?: string }

/** Writes a capsule's configurations below `folder`. */
export async function unpackConfigurations({ configurations }: Pick<Capsule, 'configurations'>, folder: string): Promise<UnpackedConfigurations> {
  const files: UnpackedConfigurations = {}
  for (const [kind, given] of Object.entries(configurations) as [keyof Configurations, z.infer<typeof configuration>][]) {
    const own = path.resolve(folder, kind)
    for (const { name, text } of given) await writeInside(own, name, text.replaceAll(folderMark, own))
    files[kind] = path.join(own, given[0]!.name)
  }
  return files
}

/** A name that leads elsewhere is not of ours. */
async function writeInside(folder: string, name: string, text: string): Promise<void> {
  const file = path.resolve(folder, name)
  if (path.relative(folder, file).startsWith('..')) throw new UsageError(`The capsule holds a file named ${JSON.stringify(name)}, which leads out of its folder; it is not replayed.`)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, text)
}
