import { readFileSync } from 'node:fs'

export type Tool = 'varnish' | 'compiler' | 'caddy'

/** What a search did not find. `because` is a clause for one sentence. */
export interface Missing {
  tools: Tool[]
  because: string
}

/** What decides how a program is installed here. */
export interface Host {
  platform: NodeJS.Platform
  /** 0 is root. */
  uid: number
  /** The text of /etc/os-release, empty where there is none. */
  osRelease: string
}

interface PackageManager {
  /** Ids in os-release's ID and ID_LIKE. */
  systems: string[]
  install: string
  packages: Record<Tool, string>
}

const packageManagers = {
  apt: {
    systems: ['debian', 'ubuntu'],
    install: 'apt-get install -y --no-install-recommends',
    packages: { varnish: 'varnish', compiler: 'gcc libc6-dev', caddy: 'caddy' },
  },
  dnf: {
    systems: ['fedora', 'rhel', 'centos'],
    install: 'dnf install -y',
    packages: { varnish: 'varnish', compiler: 'gcc', caddy: 'caddy' },
  },
  pacman: {
    systems: ['arch'],
    install: 'pacman -S --noconfirm',
    packages: { varnish: 'varnish', compiler: 'gcc', caddy: 'caddy' },
  },
  apk: {
    systems: ['alpine'],
    install: 'apk add',
    packages: { varnish: 'varnish', compiler: 'gcc musl-dev', caddy: 'caddy' },
  },
  zypper: {
    systems: ['suse', 'opensuse'],
    install: 'zypper --non-interactive install',
    packages: { varnish: 'varnish', compiler: 'gcc', caddy: 'caddy' },
  },
} satisfies Record<string, PackageManager>

export const toolNames: Record<Tool, string> = {
  varnish: 'Varnish',
  compiler: 'a C compiler',
  caddy: 'Caddy',
}

/** The machine this runs on. */
export function thisHost(): Host {
  return { platform: process.platform, uid: process.getuid?.() ?? -1, osRelease: readOsRelease() }
}

/** Only where nobody must be asked: as root, with apt, whose packages are known to fit. */
export function canInstall(host: Host): boolean {
  return (
    host.platform === 'linux' && host.uid === 0 && packageManagerOf(host) === packageManagers.apt
  )
}

export function debianPackages(tools: readonly Tool[]): string[] {
  return tools.flatMap((tool) => packageManagers.apt.packages[tool].split(' '))
}

/** The one command that installs the tools here, or null where none is known. */
export function installCommand(tools: readonly Tool[], host: Host): string | null {
  if (host.platform === 'darwin') return brewCommand(tools)
  const manager = packageManagerOf(host)
  if (!manager) return null
  const packages = tools.map((tool) => manager.packages[tool])
  return `${host.uid === 0 ? '' : 'sudo '}${manager.install} ${packages.join(' ')}`
}

/** The compiler of macOS is no package of Homebrew. */
function brewCommand(tools: readonly Tool[]): string {
  const formulas = tools.filter((tool) => tool !== 'compiler')
  const compiler = tools.includes('compiler') ? ['xcode-select --install'] : []
  const brew = formulas.length > 0 ? [`brew install ${formulas.join(' ')}`] : []
  return [...compiler, ...brew].join(' && ')
}

function packageManagerOf(host: Host): PackageManager | undefined {
  if (host.platform !== 'linux') return undefined
  const ids = [...host.osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)]
    .flatMap((match) => (match[1] ?? '').split(' '))
    .map((id) => id.replace(/-.*$/, ''))
  return Object.values(packageManagers).find((manager) =>
    manager.systems.some((id) => ids.includes(id)),
  )
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}
