/**
 * `npm run sample`: makes what the documentation shows. A small real run against the reference
 * server becomes `reports/sample/`, without what belongs to this machine, and the top of its page
 * becomes `docs/report.png` where there is a Chromium.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { execa } from 'execa'
import { exitCodes } from '../harness/errors.ts'
import { anonymised } from '../harness/report/anonymise.ts'
import type { Result } from '../harness/report/result.ts'
import { validateResult } from '../harness/report/validate.ts'
import { saveResult } from '../harness/save-result.ts'

const root = path.join(import.meta.dirname, '..')
const sample = path.join(root, 'reports', 'sample')
const picture = path.join(root, 'docs', 'report.png')
const pictureBytesMax = 200_000

/** Of each family what makes a row and every kind of figure, in little more than a minute. */
const scenarios = [
  'restart-keeps-data',
  'restart-keeps-forks',
  'start-is-ready-in-time',
  'kill-under-load',
  'tls-edge-passes-everything',
  'one-h2-connection-holds-many-streams',
  'lifetimes-end',
  'expired-streams-free-their-disk',
  'fan-out-long-poll',
]
const flags = ['--origin', 'reference', '--readers', '1000', '--seed', '7']

const out = await mkdtemp(path.join(os.tmpdir(), 'sample-run-'))
try {
  const result = await simulate(out)
  await mkdir(sample, { recursive: true })
  await saveResult(sample, checked(anonymised(result, [os.hostname()])))
  console.log(`${path.relative(root, sample)} shows run ${result.runId}.`)
  await takePicture()
} finally {
  await rm(out, { recursive: true, force: true })
}

async function simulate(folder: string): Promise<Result> {
  const args = [path.join(root, 'harness', 'cli.ts'), ...scenarios, ...flags, '--config', 'none', '--out', folder]
  const { exitCode } = await execa(process.execPath, args, { cwd: root, stdio: 'inherit', reject: false })
  if (exitCode !== exitCodes.unknown) throw new Error(`The run of the reference server ended with ${exitCode}, not with ${exitCodes.unknown}.`)
  return JSON.parse(await readFile(path.join(folder, 'latest', 'result.json'), 'utf8')) as Result
}

function checked(result: Result): Result {
  const validation = validateResult(result)
  if (!validation.valid) throw new Error(`The sample is no valid result:\n${validation.problems.join('\n')}`)
  return validation.result
}

/** The top of the page as a reader meets it: the verdict and the eight boxes. */
async function takePicture(): Promise<void> {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) => existsSync(file))
  if (!executablePath) return console.log('docs/report.png was not taken anew: there is no Chromium here.')
  const { chromium } = await import('playwright-core')
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  try {
    const page = await browser.newPage({ viewport: { width: 1_020, height: 1_330 }, colorScheme: 'light' })
    await page.goto(pathToFileURL(path.join(sample, 'report.html')).href)
    await page.screenshot({ path: picture })
  } finally {
    await browser.close()
  }
  const { size } = await stat(picture)
  if (size > pictureBytesMax) throw new Error(`docs/report.png has ${size} bytes, more than ${pictureBytesMax}.`)
  console.log(`docs/report.png shows it, ${size} bytes.`)
}
