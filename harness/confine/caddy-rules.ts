/**
 * The small language in which `caddy-modules.ts` says what a Caddy configuration may contain.
 *
 * A rule takes a value and gives the value to run with, or undefined to leave it out. Only what a
 * rule names gets through: text, lists and objects under a key nobody vouched for are left out and
 * listed, so that a module of tomorrow can not reach what it should not. Numbers and booleans can
 * name no host and no file; they pass.
 */
import { addressesIn } from './addresses.ts'
import { isObject, type Json, type JsonObject } from './json.ts'
import { redactJson, redactText } from './redact.ts'

export interface Change {
  /** Where in the JSON, as `apps.http.servers.srv0.listen[0]`. */
  readonly path: string
  /** Before and after, with secrets hidden; null where there was nothing or nothing is left. */
  readonly from: Json
  readonly to: Json
  readonly because: string
}

export interface Refusal {
  readonly path: string
  /** The address (or, where there is none, the module or setting), with secrets hidden. */
  readonly address: string
  readonly because: string
}

export interface FileRead {
  readonly path: string
  readonly file: string
}

/** What was found on the way through one configuration. */
export class Findings {
  readonly changes: Change[] = []
  readonly refused: Refusal[] = []
  readonly reads: FileRead[] = []
  /** Settings without which the configuration would mean something else. */
  readonly fatal: string[] = []
  stubUsed = false

  change(path: string, from: Json | undefined, to: Json | undefined, because: string): void {
    const before = from ?? null
    const after = to ?? null
    if (JSON.stringify(before) === JSON.stringify(after)) return
    const name = path.match(/[^.[\]]+(?=(\[\d+\])*$)/)?.[0] ?? ''
    this.changes.push({
      path: redactText(path),
      from: redactJson(before, name),
      to: redactJson(after, name),
      because,
    })
  }

  refuse(path: string, value: Json, because: string, to?: Json): undefined {
    this.change(path, value, to, because)
    const named = addressesIn(value)
    for (const address of named.length > 0 ? named : [moduleName(value)]) {
      this.refused.push({ path: redactText(path), address: redactText(address), because })
    }
    return undefined
  }
}

function moduleName(value: Json): string {
  if (typeof value === 'string') return value.slice(0, 200)
  if (Array.isArray(value)) return value.map(moduleName).join(', ').slice(0, 200) || '-'
  if (!isObject(value)) return '-'
  const keys = ['handler', 'module', 'output', 'provider', 'source', 'protocol', 'wrapper', 'via']
  const named = keys.map((key) => value[key]).find((name) => typeof name === 'string')
  return named ?? '-'
}

/** Where a rule stands, and what it may use. */
export interface Place<Context> {
  readonly path: string
  readonly findings: Findings
  readonly context: Context
}

export type Rule<Context> = (value: Json, at: Place<Context>) => Json | undefined

export function below<C>(at: Place<C>, key: string | number): Place<C> {
  const step =
    typeof key === 'number' ? `[${key}]` : /^[\w-]+$/.test(key) ? `.${key}` : `["${key}"]`
  const path = at.path === '' ? step.replace(/^\./, '') : at.path + step
  return { ...at, path }
}

/** Data that Caddy compares or answers with, but never dials, listens on or writes to. */
export function keep<C>(value: Json, at: Place<C>): Json {
  noteFileReads(value, at)
  return value
}

/** The name of a file or folder that is only read. */
export function readsFile<C>(value: Json, at: Place<C>): Json {
  const files = Array.isArray(value) ? value : [value]
  for (const file of files) {
    if (typeof file === 'string') at.findings.reads.push({ path: at.path, file })
  }
  return value
}

function noteFileReads<C>(value: Json, at: Place<C>): void {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  for (const [, file = ''] of text.matchAll(/\{file\.([^}]+)\}/g)) {
    at.findings.reads.push({ path: at.path, file })
  }
}

/** Leaves the value out and says why. */
export function refuse<C>(because: string): Rule<C> {
  return (value, at) => at.findings.refuse(at.path, value, because)
}

/** Leaves out something of the machine it came from; not an address, so only the diff shows it. */
export function omit<C>(because: string): Rule<C> {
  return (value, at) => {
    at.findings.change(at.path, value, undefined, because)
    return undefined
  }
}

/** An object of which each key has its own rule; unknown keys pass only as numbers and booleans. */
export function fields<C>(rules: Readonly<Record<string, Rule<C>>>): Rule<C> {
  return (value, at) => {
    if (!isObject(value)) return unknownSetting(value, at)
    const kept: JsonObject = {}
    for (const [key, item] of Object.entries(value)) {
      const rule = Object.hasOwn(rules, key) ? rules[key] : undefined
      const confined = (rule ?? unknownSetting)(item, below(at, key))
      if (confined !== undefined) kept[key] = confined
    }
    return kept
  }
}

/** Numbers and booleans pass; anything that could name a host or a file is left out and listed. */
export function unknownSetting<C>(value: Json, at: Place<C>): Json | undefined {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value
  return at.findings.refuse(at.path, value, 'a setting the simulation does not know')
}

/** A list whose items all follow one rule. */
export function listOf<C>(rule: Rule<C>): Rule<C> {
  return (value, at) => {
    if (value === null) return value
    if (!Array.isArray(value)) return unknownSetting(value, at)
    return value
      .map((item, index) => rule(item, below(at, index)))
      .filter((item) => item !== undefined)
  }
}

/** An object with free keys whose values all follow one rule. */
export function mapOf<C>(rule: Rule<C>): Rule<C> {
  return (value, at) => {
    if (value === null) return value
    if (!isObject(value)) return unknownSetting(value, at)
    const entries = Object.entries(value).map(([key, item]) => [key, rule(item, below(at, key))])
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined)) as JsonObject
  }
}

export type Registry<C> = Readonly<Record<string, Rule<C>>>

/** An object whose key `inlineKey` names its module. `unknown` decides about all other modules. */
export function moduleBy<C>(
  inlineKey: string,
  registry: () => Registry<C>,
  unknown: Rule<C> = refuse(`a module the simulation can not vouch for`),
): Rule<C> {
  return (value, at) => {
    const name = isObject(value) ? value[inlineKey] : undefined
    const known = registry()
    if (typeof name !== 'string' || !Object.hasOwn(known, name)) return unknown(value, at)
    return (known[name] as Rule<C>)(value, at)
  }
}

/** An object whose keys name modules. */
export function modulesByName<C>(
  registry: () => Registry<C>,
  unknown: Rule<C> = refuse(`a module the simulation can not vouch for`),
): Rule<C> {
  return (value, at) => {
    if (value === null) return value
    if (!isObject(value)) return unknownSetting(value, at)
    const known = registry()
    const kept: JsonObject = {}
    for (const [name, item] of Object.entries(value)) {
      const rule = Object.hasOwn(known, name) ? (known[name] as Rule<C>) : unknown
      const confined = rule(item, below(at, name))
      if (confined !== undefined) kept[name] = confined
    }
    return kept
  }
}
