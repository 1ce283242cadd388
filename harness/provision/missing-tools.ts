import { readFileSync } from 'node:fs'

/** A program that a run needs, and how it is had. */
export interface Tool {
  /** As a sentence calls it. */
  name: string
  /** By package manager; several packages have blanks between them. Null: Homebrew does not have it. */
  packages: Record<Exclude<ManagerId, 'brew'>, string> & { brew: string | null }
  /** What Debian's package would start at boot. */
  services: string[]
}

export const compilerTool: Tool = {
  name: 'a C compiler',
  // The compiler of macOS is no package of Homebrew.
  packages: { apt: 'gcc libc6-dev', dnf: 'gcc', pacman: 'gcc', apk: 'gcc musl-dev', zypper: 'gcc', brew: null },
  services: [],
}

export const caddyTool: Tool = {
  name: 'Caddy',
  packages: { apt: 'caddy', dnf: 'caddy', pacman: 'caddy', apk: 'caddy', zypper: 'caddy', brew: 'caddy' },
  services: ['caddy'],
}

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
}

const packageManagers = {
  apt: {
    systems: ['debian', 'ubuntu'],
    install: 'apt-get install -y --no-install-recommends',
  },
  dnf: {
    systems: ['fedora', 'rhel', 'centos'],
    install: 'dnf install -y',
  },
  pacman: {
    systems: ['arch'],
    install: 'pacman -S --noconfirm',
  },
  apk: {
    systems: ['alpine'],
    install: 'apk add',
  },
  zypper: {
    systems: ['suse', 'opensuse'],
    install: 'zypper --non-interactive install',
  },
} satisfies Record<string, PackageManager>

type ManagerId = keyof typeof packageManagers | 'brew'

/** The machine this runs on. */
export function thisHost(): Host {
  return { platform: process.platform, uid: process.getuid?.() ?? -1, osRelease: readOsRelease() }
}

/** Only where nobody must be asked: as root, with apt, whose packages are known to fit. */
export function canInstall(host: Host): boolean {
  return (
    host.platform === 'linux' && host.uid === 0 && packageManagerOf(host) === 'apt'
  )
}

export function debianPackages(tools: readonly Tool[]): string[] {
  return tools.flatMap((tool) => tool.packages.apt.split(' '))
}

/** The one command that installs the tools here, or null where none is known. */
export function installCommand(tools: readonly Tool[], host: Host): string | null {
  if (host.platform === 'darwin') return brewCommand(tools)
  const manager = packageManagerOf(host)
  if (!manager) return null
  const packages = tools.map((tool) => tool.packages[manager])
  return `${host.uid === 0 ? '' : 'sudo '}${packageManagers[manager].install} ${packages.join(' ')}`
}

function brewCommand(tools: readonly Tool[]): string {
  const formulas = tools.flatMap((tool) => tool.packages.brew ?? [])
  const compiler = tools.includes(compilerTool) ? ['xcode-select --install'] : []
  const brew = formulas.length > 0 ? [`brew install ${formulas.join(' ')}`] : []
  return [...compiler, ...brew].join(' && ')
}

function packageManagerOf(host: Host): keyof typeof packageManagers | undefined {
  if (host.platform !== 'linux') return undefined
  const ids = [...host.osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)]
    .flatMap((match) => (match[1] ?? '').split(' '))
    .map((id) => id.replace(/-.*$/, ''))
  const managers = Object.entries(packageManagers) as [keyof typeof packageManagers, PackageManager][]
  return managers.find(([, { systems }]) => systems.some((id) => ids.includes(id)))?.[0]
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}
