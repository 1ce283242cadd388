/** How a scenario file that is written into a folder imports this harness. */
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const harness = path.dirname(fileURLToPath(import.meta.url))

/** The way from the folder, as an import has it: './…' or '../…', with forward slashes. */
export function wayToHarness(folder: string): string {
  const relative = path.relative(path.resolve(folder), harness).split(path.sep).join('/')
  return relative.startsWith('.') ? relative : `./${relative}`
}
