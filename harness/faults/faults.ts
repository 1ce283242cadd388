/** Every fault by its name. A new one is a file beside this one and a line in this list; one without its line does not compile. */
import type { AnyFault, FaultKind } from './fault.ts'
import { answersCarryKind, type AnswersCarry } from './answers-carry.ts'
import { cpuLimitKind, type CpuLimit } from './cpu-limit.ts'
import { diskFullKind, type DiskFull } from './disk-full.ts'
import { linkCutKind, type LinkCut } from './link-cut.ts'
import { linkForgetsKind, type LinkForgets } from './link-forgets.ts'
import { linkSilentKind, type LinkSilent } from './link-silent.ts'
import { linkSlowKind, type LinkSlow } from './link-slow.ts'
import { memoryLimitKind, type MemoryLimit } from './memory-limit.ts'
import { pauseKind, type Pause } from './pause.ts'

export type Fault = AnswersCarry | CpuLimit | DiskFull | LinkCut | LinkForgets | LinkSilent | LinkSlow | MemoryLimit | Pause

const kinds: { [F in Fault as F['fault']]: FaultKind<F> } = {
  'answers-carry': answersCarryKind,
  'cpu-limit': cpuLimitKind,
  'disk-full': diskFullKind,
  'link-cut': linkCutKind,
  'link-forgets': linkForgetsKind,
  'link-silent': linkSilentKind,
  'link-slow': linkSlowKind,
  'memory-limit': memoryLimitKind,
  pause: pauseKind,
}

/** The fault of this name. Throws TypeError for one that there is not. */
export function faultKind(fault: AnyFault): FaultKind<AnyFault> {
  const kind = (kinds as Record<string, FaultKind<never> | undefined>)[fault.fault]
  if (!kind) throw new TypeError(`no fault is called "${fault.fault}"`)
  return kind as FaultKind<AnyFault>
}
