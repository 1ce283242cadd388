/** What an engine cannot do to its containers here, from what it tells of itself. */
import type { Ability } from './runtime.ts'

/** Of its `/info`; https://docs.docker.com/reference/api/engine/version/v1.41/#tag/System/operation/SystemInfo */
export interface EngineInfo {
  MemoryLimit?: boolean
  CpuCfsQuota?: boolean
  CgroupVersion?: string
  KernelVersion?: string
  SecurityOptions?: string[]
  /** Podman tells it apart. */
  Rootless?: boolean
}

/** Its containers' root is an ordinary user of this host. */
export function isRootless({ SecurityOptions = [], Rootless = false }: EngineInfo): boolean {
  return Rootless || SecurityOptions.some((option) => option.includes('rootless'))
}

/** Why it lacks this, as a clause; null where nothing speaks against it. */
export function engineLacks(ability: Ability, info: EngineInfo, isPodman: boolean): string | null {
  const limits = ability === 'memory-limit' || ability === 'cpu-limit'
  if ((limits || ability === 'pause') && isRootless(info) && info.CgroupVersion === '1') {
    return 'a rootless container engine has no control groups on a host with those of version 1'
  }
  if (!limits) return null
  if (isPodman) return 'Podman changes no limits of a running container for those who speak to it as to Docker'
  const offered = ability === 'memory-limit' ? info.MemoryLimit : info.CpuCfsQuota
  return offered ? null : `the container engine limits no ${ability === 'memory-limit' ? 'memory' : 'processors'} here`
}
