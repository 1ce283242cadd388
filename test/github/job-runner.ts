/**
 * Runs the steps of a workflow's job or of a composite action on this machine: each `run` as GitHub's
 * runner does, with bash; the actions of others, which only move files, are done with folders.
 */
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { execa } from 'execa'
import { parse } from 'yaml'
import { holds, interpolate, type Context } from './expressions.ts'

export interface Step {
  name?: string
  id?: string
  if?: string
  uses?: string
  run?: string
  shell?: string
  env?: Record<string, string>
  with?: Record<string, string>
}

export interface Action {
  inputs: Record<string, { description: string; default?: string }>
  outputs: Record<string, { value: string }>
  runs: { using: string; steps: Step[] }
}

export interface RanStep {
  name: string
  state: 'success' | 'failure' | 'skipped'
  exitCode: number
  log: string
  summary: string
}

export interface Ran {
  failed: boolean
  steps: RanStep[]
  outputs: Record<string, string>
}

/** What the runner of one job has. */
export interface Runner {
  /** Where it starts its steps. */
  workspace: string
  temp: string
  /** The cache of actions: a folder for each key. */
  cache: string
  artifacts: string
  env: Record<string, string>
  github: Context
  /** Of the checkout in which `uses: ./` is looked for. */
  root: string
}

export function readAction(root: string): Action {
  return parse(readFileSync(path.join(root, 'action.yml'), 'utf8')) as Action
}

/** The composite action, with the inputs of its caller. */
export async function runAction(runner: Runner, given: Record<string, string>): Promise<Ran> {
  const { inputs, outputs, runs } = readAction(runner.root)
  const unknown = Object.keys(given).filter((name) => !(name in inputs))
  if (unknown.length > 0) throw new Error(`The action has no input ${unknown.join(', ')}.`)
  const context: Context = { github: runner.github, runner: { os: 'Linux', temp: runner.temp }, inputs: {}, steps: {} }
  for (const [name, { default: usual = '' }] of Object.entries(inputs)) (context['inputs'] as Context)[name] = given[name] ?? interpolate(usual, context)
  const ran = await runSteps(runner, runs.steps, context)
  return { ...ran, outputs: Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, interpolate(value, context)])) }
}

export async function runSteps(runner: Runner, steps: readonly Step[], context: Context): Promise<Ran> {
  const status = { failed: false }
  const all: RanStep[] = []
  for (const step of steps) {
    const name = step.name ?? step.uses ?? step.run ?? ''
    if (!holds(step.if, context, status)) {
      remember(context, step, 'skipped', {})
      all.push({ name, state: 'skipped', exitCode: 0, log: '', summary: '' })
      continue
    }
    const { exitCode, log, summary, outputs } = step.run === undefined ? await use(runner, step, context) : await bash(runner, step, context)
    const state = exitCode === 0 ? 'success' : 'failure'
    remember(context, step, state, outputs)
    status.failed ||= exitCode !== 0
    all.push({ name, state, exitCode, log, summary })
  }
  return { failed: status.failed, steps: all, outputs: {} }
}

interface Done {
  exitCode: number
  log: string
  summary: string
  outputs: Record<string, string>
}

function remember(context: Context, { id }: Step, outcome: string, outputs: Record<string, string>): void {
  if (id !== undefined) (context['steps'] as Context)[id] = { outcome, conclusion: outcome, outputs }
}

const stepMsMax = 240_000

async function bash(runner: Runner, { run, env = {} }: Step, context: Context): Promise<Done> {
  const folder = mkdtempSync(path.join(runner.temp, 'step-'))
  const [script, output, summary] = ['run.sh', 'output', 'summary.md'].map((name) => path.join(folder, name)) as [string, string, string]
  writeFileSync(script, interpolate(run!, context))
  for (const file of [output, summary]) writeFileSync(file, '')
  const own = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, interpolate(String(value), context)]))
  const { exitCode, all } = await execa('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
    cwd: runner.workspace,
    env: { ...runner.env, ...own, CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary, GITHUB_ACTION_PATH: runner.root, RUNNER_TEMP: runner.temp },
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: stepMsMax,
  })
  return { exitCode: exitCode ?? 137, log: all, summary: readFileSync(summary, 'utf8'), outputs: linesOf(readFileSync(output, 'utf8')) }
}

/** `name=value`, a line each. */
function linesOf(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line !== '')
  return Object.fromEntries(lines.map((line) => {
    const at = line.indexOf('=')
    if (at < 1) throw new Error(`This is no output of a step: ${line}`)
    return [line.slice(0, at), line.slice(at + 1)]
  }))
}

// --- the actions of others -------------------------------------------------------------------

async function use(runner: Runner, { uses, with: given = {} }: Step, context: Context): Promise<Done> {
  const inputs = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, interpolate(String(value), context)]))
  const done = (outputs: Record<string, string> = {}): Done => ({ exitCode: 0, log: '', summary: '', outputs })
  const action = uses!.split('@')[0]
  if (action === 'actions/checkout') return done()
  if (action === 'actions/cache/restore') return done(restore(runner, inputs))
  if (action === 'actions/cache/save') return done(save(runner, inputs))
  if (action === 'actions/upload-artifact') return done(upload(runner, inputs))
  if (action === 'actions/download-artifact') return done(download(runner, inputs))
  if (action === './') {
    const ran = await runAction(runner, inputs)
    return { exitCode: ran.failed ? 1 : 0, log: ran.steps.map(({ log }) => log).join('\n'), summary: '', outputs: ran.outputs }
  }
  throw new Error(`This action is not known here: ${uses}`)
}

function entryOf({ cache }: Runner, key: string): string {
  return path.join(cache, encodeURIComponent(key))
}

/** The very key, else the newest that begins as one of the others does. */
function restore(runner: Runner, inputs: Record<string, string>): Record<string, string> {
  const beginnings = (inputs['restore-keys'] ?? '').split('\n').map((line) => line.trim()).filter((line) => line !== '')
  const known = existsSync(runner.cache) ? readdirSync(runner.cache).map(decodeURIComponent).toSorted().toReversed() : []
  const found = [inputs['key']!, ...beginnings].map((wanted, nth) => known.find((key) => (nth === 0 ? key === wanted : key.startsWith(wanted)))).find((key) => key !== undefined)
  if (found === undefined) return { 'cache-hit': '' }
  cpSync(entryOf(runner, found), inputs['path']!, { recursive: true, preserveTimestamps: true })
  return { 'cache-hit': String(found === inputs['key']) }
}

/** What stands under a key stays: it is never written again. */
function save(runner: Runner, inputs: Record<string, string>): Record<string, string> {
  const entry = entryOf(runner, inputs['key']!)
  if (existsSync(inputs['path']!) && !existsSync(entry)) cpSync(inputs['path']!, entry, { recursive: true, preserveTimestamps: true })
  return {}
}

/** A folder, and patterns of what is left out; below the folder that all have in common. */
function upload(runner: Runner, inputs: Record<string, string>): Record<string, string> {
  const lines = inputs['path']!.split('\n').map((line) => line.trim()).filter((line) => line !== '')
  const target = path.join(runner.artifacts, inputs['name']!)
  if (existsSync(target)) throw new Error(`The artifact ${inputs['name']} is there already.`)
  const wanted = lines.filter((line) => !line.startsWith('!')).flatMap((line) => globSync(line))
  const leftOut = lines.filter((line) => line.startsWith('!')).flatMap((line) => globSync(line.slice(1)))
  if (wanted.length === 0 && inputs['if-no-files-found'] === 'error') throw new Error(`Nothing to upload: ${inputs['path']}`)
  mkdirSync(target, { recursive: true })
  for (const file of wanted) cpSync(file, wanted.length === 1 ? target : path.join(target, path.basename(file)), { recursive: true, filter: (from) => !leftOut.includes(from) })
  return {}
}

function download(runner: Runner, inputs: Record<string, string>): Record<string, string> {
  const [, before, words] = /^([\w-]*)\{([\w,]+)\}$/.exec(inputs['pattern']!)!
  const names = words!.split(',').map((word) => `${before}${word}`)
  const into = path.join(runner.workspace, inputs['path']!)
  rmSync(into, { recursive: true, force: true })
  for (const name of names.filter((one) => existsSync(path.join(runner.artifacts, one)))) cpSync(path.join(runner.artifacts, name), path.join(into, name), { recursive: true })
  return {}
}
