/** Plans carried out against a small GitHub on loopback: pages, refusals, limits of rate, and lost answers. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { applyPlan, issuesFrom, readIssues } from '../../harness/github/issues.ts'
import { openRepository, type Repository, type RestOptions } from '../../harness/github/rest.ts'
import type { Action } from '../../harness/report/issue-plan.ts'
import type { Result } from '../../harness/report/result.ts'
import { openFakeGitHub, type FakeGitHub } from './fake-github.ts'

const root = path.join(import.meta.dirname, '../..')
const key = JSON.stringify(['a/b', 'production behind varnish'])
const open = (n: number): Action => ({ do: 'open', key, title: `title ${n}`, body: `body ${n}`, labels: ['simulation'] })

let github: FakeGitHub
let waits: number[] = []
beforeEach(async () => {
  github = await openFakeGitHub('o/r', 2)
  waits = []
})
afterEach(() => github[Symbol.asyncDispose]())

function repository(more: Partial<RestOptions> = {}): Repository {
  return openRepository({ apiUrl: github.url, token: 'secret', repository: 'o/r', wait: async (ms) => void waits.push(ms), ...more })
}

async function applied(actions: Action[], to: Repository = repository()): Promise<string[]> {
  const lines: string[] = []
  await applyPlan(to, actions, (line) => lines.push(line))
  return lines
}

describe('issues are read', () => {
  test('from all pages, open and closed, with the label only, and no pull request', async () => {
    await applied([1, 2, 3, 4, 5].map(open))
    github.issues[2]!.state = 'closed'
    github.issues.push({ ...github.issues[0]!, number: 6, labels: [{ name: 'other' }] }, { ...github.issues[0]!, number: 7, pull_request: {} })
    const issues = await readIssues(repository(), 'simulation')
    expect(issues.map(({ number, state }) => `${number} ${state}`)).toEqual(['1 open', '2 open', '3 closed', '4 open', '5 open'])
    expect(github.requests.filter((what) => what.startsWith('GET'))).toHaveLength(3)
  })

  test('and not from a page that leads elsewhere: the token would go with it', async () => {
    github.refuse('GET', { status: 200, headers: { link: '<https://elsewhere.example/issues?page=2>; rel="next"' }, body: '[]' })
    await expect(readIssues(repository(), 'simulation')).rejects.toThrow(/leads to another address .* is not asked/)
  })

  test('at most fifty pages', async () => {
    github.refuse('GET', ...Array.from({ length: 60 }, () => ({ status: 200, headers: { link: `<${github.url}/repos/o/r/issues?page=2>; rel="next"` }, body: '[]' })))
    await expect(readIssues(repository(), 'simulation')).rejects.toThrow(/more than 5000 issues/)
    expect(github.requests).toHaveLength(50)
  })

  test.each(['{}', '[{"number": 1}]', 'no JSON'])('and what is no list of issues (%s) is refused in one sentence', async (body) => {
    github.refuse('GET', { status: 200, body })
    await expect(readIssues(repository(), 'simulation')).rejects.toThrow(/is no list of issues|did not answer with a list|is no JSON/)
  })
})

describe('a plan is carried out', () => {
  test('one change after another, a second apart, each told; the comment last', async () => {
    const lines = await applied([open(1), { do: 'update', key, number: 1, body: 'new', labels: ['simulation', 'x'], comment: 'Fails again.' }, { do: 'leave', key, number: 1, because: 'so' }, { do: 'update', key, number: 1, state: 'closed', stateReason: 'completed', comment: 'Closed.' }])
    expect(lines).toEqual(['open: title 1 [simulation] is #1', 'update #1: a/b, with a comment', 'leave #1: a/b: so', 'close #1: a/b, with a comment'])
    expect(github.issues).toMatchObject([{ body: 'new', state: 'closed', state_reason: 'completed', labels: [{ name: 'simulation' }, { name: 'x' }], comments: ['Fails again.', 'Closed.'] }])
    expect(github.requests).toEqual(['POST /repos/o/r/issues', 'PATCH /repos/o/r/issues/1', 'POST /repos/o/r/issues/1/comments', 'PATCH /repos/o/r/issues/1', 'POST /repos/o/r/issues/1/comments'])
    expect(waits).toEqual([1_000, 1_000, 1_000, 1_000])
    expect([...github.tokens]).toEqual(['Bearer secret'])
  })

  test('after as long as GitHub asks, where its rate is used up', async () => {
    const inTenSeconds = String(Math.floor(Date.now() / 1_000) + 10)
    github.refuse('POST', { status: 403, headers: { 'retry-after': '7' } }, { status: 429, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inTenSeconds } }, { status: 403, body: '{"message": "You have exceeded a secondary rate limit."}' })
    await applied([open(1)])
    expect(github.issues).toHaveLength(1)
    expect(waits[0]).toBe(7_000)
    expect(waits[1]).toBeGreaterThan(8_000)
    expect(waits[1]).toBeLessThan(12_000)
    expect(waits[2]).toBe(60_000)
  })

  test('not at all where that would be an hour, and says when it begins anew', async () => {
    const inAnHour = String(Math.floor(Date.now() / 1_000) + 3_600)
    github.refuse('POST', { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inAnHour } })
    await expect(applied([open(1)])).rejects.toThrow(/limit of rate is used up .* begins anew in 6\d min/)
    expect(waits).toEqual([])
  })

  test('not for ever where GitHub keeps on asking to wait', async () => {
    github.refuse('POST', ...Array.from({ length: 9 }, () => ({ status: 429, headers: { 'retry-after': '1' } })))
    await expect(applied([open(1)])).rejects.toThrow(/limit of rate/)
    expect(github.requests).toHaveLength(4)
  })

  test.each<[number, RegExp]>([
    [401, /the token is not valid/],
    [403, /the token may not do this; the job needs "permissions: issues: write" in o\/r/],
    [404, /o\/r is not there for this token/],
    [410, /issues are switched off in o\/r/],
    [422, /GitHub refused POST \/repos\/o\/r\/issues \(422, "No\."\)/],
  ])('and ends at once with one sentence where it is refused with %i', async (status, sentence) => {
    github.refuse('POST', { status })
    await expect(applied([open(1), open(2)])).rejects.toThrow(sentence)
    expect(github.requests).toHaveLength(1)
  })

  test('again where an answer was lost or GitHub failed, but for what would open an issue twice', async () => {
    github.refuse('PATCH', { status: 502 }, { status: 0, cut: true })
    await applied([open(1), { do: 'update', key, number: 1, body: 'new' }])
    expect(github.issues[0]!.body).toBe('new')
    github.refuse('POST', { status: 0, cut: true })
    await expect(applied([open(2)])).rejects.toThrow(/did not answer POST/)
    github.refuse('POST', { status: 502 })
    await expect(applied([open(2)])).rejects.toThrow(/refused POST .*502/)
    expect(github.issues).toHaveLength(1)
  })
})

test.each<[string, Partial<RestOptions>, RegExp]>([
  ['a repository', { repository: 'o' }, /--repository takes owner\/name, not "o"/],
  ['a way out of the repository', { repository: '../x/y' }, /--repository takes owner\/name/],
  ['an address that is none', { apiUrl: 'github' }, /--api-url takes the https address/],
  ['an address in the clear', { apiUrl: 'http://github.example' }, /a token is not sent in the clear/],
  ['a token of two lines', { token: 'a\nb' }, /GITHUB_TOKEN holds something that is no token/],
])('%s is refused before anything is sent', (_name, more, sentence) => {
  expect(() => repository(more)).toThrow(sentence)
})

test('GitHub\'s and gh\'s lists are read, and labels as words or objects', () => {
  const list = [{ number: 1, state: 'open', body: null, labels: ['a', { name: 'b', color: 'red' }], title: 'x' }]
  expect(issuesFrom(list, 'x')).toEqual([{ number: 1, state: 'open', stateReason: null, body: null, labels: ['a', 'b'] }])
})

describe('the command', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'issues-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const sample = path.join(root, 'reports/sample')

  async function issues(args: string[], env: Record<string, string> = {}, run = sample) {
    const { exitCode, stdout, stderr } = await execa(process.execPath, ['harness/kept-runs.ts', 'issues', run, ...args], { cwd: root, reject: false, env: { GITHUB_TOKEN: '', GH_TOKEN: '', ...env }, stdin: 'ignore' })
    return { exitCode, stdout, stderr }
  }

  test('shows by default, from a list in a file, and asks nobody', async () => {
    const all = await issues(['--json', '--repository', 'o/r', '--api-url', github.url])
    const plan = JSON.parse(all.stdout) as Extract<Action, { do: 'open' }>[]
    writeFileSync(path.join(folder, 'issues.json'), JSON.stringify(plan.slice(0, 1).map(({ body, labels }) => ({ number: 3, state: 'open', body, labels }))))
    const { stdout, exitCode } = await issues(['--issues', path.join(folder, 'issues.json')])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^leave #3: .*counted already\nopen: .*\nNothing was changed; --apply does it\.$/s)
    expect(github.requests).toEqual([])
  })

  test('leaves out a run in which the reference server only stood in, and refuses one of a planted twin', async () => {
    const saved = JSON.parse(readFileSync(path.join(sample, 'result.json'), 'utf8')) as Result
    const changed = (more: Partial<Result>) => writeFileSync(path.join(folder, 'result.json'), JSON.stringify({ ...saved, ...more }))
    changed({ options: { ...saved.options, origin: 'auto' } })
    const stoodIn = await issues([], {}, folder)
    expect(stoodIn.stdout).toMatch(/is left out: the reference server stood in[^]*\nNo issue is to be changed\.$/)
    changed({ banners: ['TWIN: in place of the origin stands a program that is broken on purpose: x.'] })
    expect(await issues([], {}, folder)).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('judged a program that is broken on purpose') })
  })

  test('changes only with --apply', async () => {
    const { stdout, exitCode } = await issues(['--apply', '--repository', 'o/r', '--api-url', github.url], { GITHUB_TOKEN: 'secret' })
    expect({ exitCode, opened: github.issues.length }).toEqual({ exitCode: 0, opened: stdout.split('\n').length })
    expect(stdout).toMatch(/ is #1$/m)
  })

  test.each<[string, string[], Record<string, string>, RegExp]>([
    ['no token', ['--apply', '--repository', 'o/r'], {}, /--apply needs a token in GITHUB_TOKEN/],
    ['two lists', ['--apply', '--issues', 'x'], {}, /--apply reads the issues itself/],
    ['a file that is not there', ['--issues', '/nowhere.json'], {}, /--issues: \/nowhere\.json cannot be read \(ENOENT\)/],
    ['no repository', ['--apply'], { GITHUB_TOKEN: 'x', GITHUB_REPOSITORY: '' }, /--repository takes owner\/name/],
    ['a label with a comma', ['--label', 'a,b'], {}, /--label takes up to 50/],
    ['a page that is none', ['--run-url', 'javascript:alert(1)'], {}, /--run-url takes an http address/],
  ])('%s is refused with 64 and one sentence', async (_name, args, env, sentence) => {
    const { exitCode, stderr } = await issues(args, env)
    expect(exitCode).toBe(64)
    expect(stderr).toMatch(sentence)
    expect(stderr.split('\n')).toHaveLength(1)
  })
})
