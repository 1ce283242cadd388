/** What differs between the configurations that two runs really had: each place with both values. */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { isObject, type Json } from './confine/json.ts'
import { redactJson } from './confine/redact.ts'
import { changedFacts } from './report/comparison.ts'

const linesMax = 40

/** Of two runs' folders, lines that name file and place; ports and temporary folders are each run's own. Secrets are redacted. */
export async function configDifferences(before: string, now: string): Promise<string[]> {
  const [old, current] = [await configsOf(before), await configsOf(now)]
  const lines = [...current.keys()].filter((file) => old.has(file)).flatMap((file) => differencesIn(old.get(file)!, current.get(file)!).map((line) => `${file}: ${line}`))
  // Scenarios have the same configuration but for what they change; each difference is told once.
  const told = [...new Map(lines.map((line) => [line.replace(/^[^:]*: /, ''), line])).values()]
  return told.length > linesMax ? [...told.slice(0, linesMax), `and ${told.length - linesMax} more`] : told
}

async function configsOf(folder: string): Promise<Map<string, Json>> {
  const configs = path.join(folder, 'config')
  const names = await readdir(configs, { recursive: true }).catch(() => [])
  const read = names.filter((name) => name.endsWith('.json')).map(async (name): Promise<[string, Json][]> => {
    const text = await readFile(path.join(configs, name), 'utf8').catch(() => '')
    try {
      return [[name, JSON.parse(text) as Json]]
    } catch {
      return []
    }
  })
  return new Map((await Promise.all(read)).flat())
}

/** '/apps/http/grace_period: 10, now none'. */
export function differencesIn(before: Json, now: Json): string[] {
  return changedFacts(leaves(redactJson(before), ''), leaves(redactJson(now), ''))
}

function leaves(value: Json, place: string): [string, string][] {
  if (Array.isArray(value)) return value.length === 0 ? [[place, '[]']] : value.flatMap((one, index) => leaves(one, `${place}/${index}`))
  if (isObject(value)) return Object.entries(value).flatMap(([name, field]) => leaves(field, `${place}/${name}`))
  return [[place, place.endsWith('port') ? '(port)' : withoutOwn(JSON.stringify(value))]]
}

/** Without what is another one in each run: ports of the loopback, folders with a random ending. */
function withoutOwn(text: string): string {
  return text.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:(port)').replaceAll(/(?:\/[\w.@-]+)*\/[\w.-]+-[A-Za-z0-9]{6}(?=\/|")/g, '(run)')
}
