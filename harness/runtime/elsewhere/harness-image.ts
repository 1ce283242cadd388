/**
 * The image that the harness and its programs run in where the engine is elsewhere: Node, and the project's
 * dependencies, which the project's volume has a link to. Made once for each lock file: the modules of
 * this machine where system and processor are the same, else by `npm ci` in the engine, with the user's npm settings.
 */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { PassThrough } from 'node:stream'
import { packTar, type TarSource } from 'modern-tar/fs'
import type { EdgeImage } from '../../edges/edge.ts'
import { UsageError } from '../../errors.ts'
import { sha256Of } from '../../provision/identify.ts'
import { sha256 } from '../../sha256.ts'
import type { Docker, Engine } from '../engine.ts'
import { buildImage, follow, imageLabel, pull } from '../images/build-image.ts'
import { provideImages } from '../images/provide-images.ts'
import { ownImage, publicReference } from '../images/public-images.ts'
import { hostPackages, libraryPackages, localTag, packagesRecipe } from '../images/recipes.ts'
import type { Runtime } from '../runtime.ts'
import { putArchive } from './belongings.ts'

const projectInImage = '/project'
export const modulesInImage = `${projectInImage}/node_modules`
const npmMsMax = 600_000
/** Of npm's own output, in a sentence. */
const wordsMax = 400
/** To be raised when what is done here changes. */
const edition = 4
/**
 * Node's public image has no mkfs.ext4. Where it cannot be had either the harness does without disks whose power is
 * cut, and says so.
 */
const addFormatter = '{ command -v mkfs.ext4 || { apt-get update && apt-get install --yes --no-install-recommends e2fsprogs; rm -rf /var/lib/apt/lists/*; }; } >/dev/null 2>&1 || true'
/** Not needed there: Node is the image's, what was compiled is this machine's, and nobody checks the code there. */
const leftBehind = new Set(['node', '.cache', '@types', 'typescript', '@typescript', 'oxlint', '@oxlint', 'axe-core'])
const forReaders = /\.(d\.[cm]?ts|map|md|markdown)$/i

export interface HarnessImageOptions {
  engine: Engine
  /** The checkout. */
  root: string
  edge: EdgeImage
  /** The server binary that was given. */
  serverBin: string | null
  /** Opens what programs of this machine are run by, where images have to be made here. */
  openHost(): Promise<Pick<Runtime, 'run' | 'temporaryFolder'> & AsyncDisposable>
  /** Labels of what is started meanwhile. */
  labels: Record<string, string>
  onProgress(line: string): void
  signal: AbortSignal
}

/** Its tag. @throws UsageError where it can neither be had nor made */
export async function provideHarnessImage(options: HarnessImageOptions): Promise<string> {
  const { engine: { docker, arch }, root, onProgress } = options
  const isAlike = process.platform === 'linux' && process.arch === arch && hasGlibc()
  const base = isAlike ? await baseByThisMachine(options) : await pulledNode(options)
  const lock = readFileSync(path.join(root, 'package-lock.json'))
  const content = sha256(JSON.stringify({ edition, arch, base, isAlike, lock: sha256(lock.toString('utf8')) }))
  const tag = `durable-streams-simulator/harness:${content.slice(0, 16)}`
  if (await isThere(docker, tag)) return tag
  const startedAt = performance.now()
  onProgress(`Making the image of the harness with its dependencies${isAlike ? '' : ' (npm ci in the container engine)'}; this is done once…`)
  await (isAlike ? copyModules(tag, base, options) : installModules(tag, base, options))
  onProgress(`Made it in ${Math.ceil((performance.now() - startedAt) / 1_000)} s.`)
  return tag
}

/** As Node's image has: modules that were compiled for another C library do not start there. */
function hasGlibc(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime !== undefined
}

function isThere(docker: Docker, reference: string): Promise<boolean> {
  return docker.getImage(reference).inspect().then(() => true, () => false)
}

/** Here images can be made from packages as well, and those that the run will look for are. */
async function baseByThisMachine({ engine: { docker }, edge, serverBin, openHost, onProgress, signal }: HarnessImageOptions): Promise<string> {
  await using host = await openHost()
  const server = serverBin === null ? null : { path: serverBin, sha256: await sha256Of(serverBin) }
  const { node } = await provideImages({ docker, host, server, caddy: server, edge, onProgress, signal })
  return isMadeHere(node.reference) ? await nodeWithPrograms(docker, host) : node.reference
}

/** The image made here around Node holds nothing else; the harness itself mounts volumes. */
async function nodeWithPrograms(docker: Docker, host: Pick<Runtime, 'run' | 'temporaryFolder'>): Promise<string> {
  const around = { docker, host, baseOf: async () => packages }
  const libraries = packagesRecipe([...libraryPackages, ...hostPackages])
  const packages = localTag('harness-libraries', libraries)
  if (!(await isThere(docker, packages))) await buildImage(packages, libraries, around)
  const recipe = { kind: 'program', base: 'libraries', file: process.execPath, sha256: await sha256Of(process.execPath), target: '/usr/local/bin/node' } as const
  const tag = localTag('harness-node', recipe)
  if (!(await isThere(docker, tag))) await buildImage(tag, recipe, around)
  return tag
}

async function pulledNode({ engine: { docker, arch }, onProgress }: HarnessImageOptions): Promise<string> {
  const reference = publicReference(ownImage('node'))
  if (await isThere(docker, reference)) return reference
  onProgress(`Pulling ${reference}…`)
  await pull(docker, reference, `linux/${arch === 'x64' ? 'amd64' : arch}`)
  return reference
}

function isMadeHere(base: string): boolean {
  return base !== publicReference(ownImage('node'))
}

async function copyModules(tag: string, base: string, { engine: { docker }, root }: HarnessImageOptions): Promise<void> {
  const modules = path.join(root, 'node_modules')
  const isNeeded = (file: string) => !leftBehind.has(path.relative(modules, file).split(path.sep)[0]!) && !forReaders.test(file)
  // By the release that this machine's images were made of they are found again.
  const release: TarSource[] = isMadeHere(base) ? [{ type: 'content', target: 'os-release', content: readFileSync('/etc/os-release') }] : []
  // Images that are made here have it, and no shell.
  const steps = isMadeHere(base) ? release.map(({ target }) => `COPY ${target} /etc/${target}`) : [`RUN ${addFormatter}`]
  const sources: TarSource[] = [
    { type: 'content', target: 'Dockerfile', content: [`FROM ${base}`, 'USER 0:0', ...steps, `COPY node_modules ${modulesInImage}`, 'ENTRYPOINT []', ''].join('\n') },
    ...release,
    { type: 'directory', source: modules, target: 'node_modules' },
  ]
  const context = packTar(sources, { filter: (file) => !file.startsWith(modules) || isNeeded(file) })
  await follow(docker, docker.buildImage(context, { t: tag, labels: { [imageLabel]: tag }, rm: true, forcerm: true }), tag)
}

/** In a container, whose end state becomes the image: npm's settings may hold a password, and never get into it. */
async function installModules(tag: string, base: string, { engine: { docker }, root, labels, signal }: HarnessImageOptions): Promise<void> {
  const settings = npmSettings(process.env)
  const container = await docker.createContainer({
    Image: base,
    User: '0:0',
    Entrypoint: ['node'],
    Cmd: ['-e', 'setInterval(() => {}, 1e6)'],
    Labels: labels,
    HostConfig: { Init: true },
  })
  try {
    const manifests = ['package.json', 'package-lock.json', '.npmrc'].map((name): TarSource => ({ type: 'file', source: path.join(root, name), target: `project/${name}` }))
    await putArchive(container, packTar([...manifests, ...settings.files]))
    await container.start()
    const asked = ['npm', 'ci', '--include=dev', '--include=optional', '--omit=peer', '--no-audit', '--no-fund', '--loglevel=error', '--cache=/tmp/npm']
    const { code, said } = await execIn(docker, container, ['sh', '-c', `${addFormatter}; cd ${projectInImage} && ${asked.join(' ')}; code=$?; rm -rf /tmp/npm /tmp/npm-settings; exit $code`], settings.env, signal)
    signal.throwIfAborted()
    if (code !== 0) {
      throw new UsageError(`The dependencies could not be installed in the container engine (npm ci ended with ${code}: ${lastWords(said)}): let its containers reach the npm registry, or run without containers: --runtime processes.`)
    }
    await container.commit({ repo: tag.split(':')[0], tag: tag.split(':')[1], changes: ['ENTRYPOINT []', 'CMD []', `LABEL ${imageLabel}=${tag}`].join('\n') })
  } finally {
    await container.remove({ force: true, v: true })
  }
}

type Container = Awaited<ReturnType<Docker['createContainer']>>

async function execIn(docker: Docker, container: Container, Cmd: string[], env: Record<string, string>, signal: AbortSignal): Promise<{ code: number | null; said: string }> {
  const exec = await container.exec({ Cmd, AttachStdout: true, AttachStderr: true, Env: Object.entries(env).map(([name, value]) => `${name}=${value}`) })
  const stream = await exec.start({})
  const both = new PassThrough()
  docker.modem.demuxStream(stream, both, both)
  const end = () => both.end()
  stream.once('end', end).once('close', end).once('error', end)
  const until = AbortSignal.any([signal, AbortSignal.timeout(npmMsMax)])
  until.addEventListener('abort', () => stream.destroy(), { once: true })
  const said = await text(both)
  return { code: (await exec.inspect()).ExitCode, said }
}

/** Without addresses: a registry's may carry a password. */
function lastWords(said: string): string {
  const errors = said.split('\n').filter((line) => /^npm (ERR!|error)/.test(line) && !line.includes('complete log'))
  const words = (errors.length > 0 ? errors : said.split('\n')).map((line) => line.replace(/^npm (ERR!|error)\s*/, '').trim()).filter(Boolean)
  return words.join(' ').replaceAll(/\bhttps?:\/\/\S+/g, '(address)').slice(0, wordsMax) || 'it said nothing'
}

/** The user's: settings by environment and by file, with the certificates that they name. */
export function npmSettings(env: NodeJS.ProcessEnv): { env: Record<string, string>; files: TarSource[] } {
  const own = Object.entries(env).filter((one): one is [string, string] => one[1] !== undefined && isNpmSetting(one[0]))
  const lower = Object.fromEntries(own.map(([name, value]) => [name.toLowerCase(), value]))
  const userConfig = lower['npm_config_userconfig'] ?? path.join(env['HOME'] ?? homedir(), '.npmrc')
  const passed = Object.fromEntries(own.filter(([name]) => !/^npm_config_(userconfig|globalconfig|cache|prefix|cafile)$/i.test(name)))
  const files: TarSource[] = []
  const config = existsSync(userConfig) ? readFileSync(userConfig, 'utf8') : ''
  const authority = lower['npm_config_cafile'] ?? /^\s*cafile\s*=\s*"?(.*?)"?\s*$/m.exec(config)?.[1] ?? env['NODE_EXTRA_CA_CERTS']
  files.push({ type: 'content', target: 'tmp/npm-settings/npmrc', content: config.replaceAll(/^\s*(cafile|prefix|cache|nodedir)\s*=.*$/gm, '') })
  passed['npm_config_userconfig'] = '/tmp/npm-settings/npmrc'
  if (authority !== undefined && existsSync(authority)) {
    files.push({ type: 'file', source: authority, target: 'tmp/npm-settings/authority.pem' })
    passed['npm_config_cafile'] = '/tmp/npm-settings/authority.pem'
    passed['NODE_EXTRA_CA_CERTS'] = '/tmp/npm-settings/authority.pem'
  }
  return { env: passed, files }
}

/** What npm itself sets for the commands that it runs is no setting of the user's. */
function isNpmSetting(name: string): boolean {
  if (/^(https?|no)_proxy$/i.test(name)) return true
  return /^npm_config_/i.test(name) && !/^npm_config_(user_agent|node_gyp|global_prefix|local_prefix|noproxy|npm_version|init_module)$/i.test(name)
}
