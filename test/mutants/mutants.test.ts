/** The public command on a small VCL: one mutant that is noticed, one that does not compile, and what it leaves. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { mutantsResult } from '../../harness/report/mutants.ts'

const bootstrap = path.resolve(import.meta.dirname, '../../harness/bootstrap.mjs')

const vcl = `vcl 4.1;

backend origin { .host = "127.0.0.1"; .port = "4437"; }
acl nobody { "192.0.2.1"; }
# [https]
sub vcl_recv {
    if (client.ip ~ nobody) {
        call own; # (unseen: nobody sends it)
        return (synth(503));
    }
}

sub own {
    # (unseen: nobody sends it)
    unset req.http.Nobody-Sends-This;
}
`

const mutants = (args: string[]) => execa(process.execPath, [bootstrap, 'mutants', ...args], { reject: false, timeout: 200_000 })

describe('npm run mutants', () => {
  test('says which check of which row noticed a mutant, and what says nothing', { timeout: 240_000 }, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'mutants-test-'))
    try {
      const file = path.join(folder, 'mine.vcl')
      await writeFile(file, vcl)
      const setting = ['--target', 'edge', '--edge-config', file, '--origin', 'reference', '--base-runs', '1', '--scenarios', 'tls-edge-passes-everything', '--at-once', '2']
      const some = ['--only', 'mine.vcl:7:negate', 'mine.vcl:7:without-arm']
      const ended = await mutants([...setting, '--json', '--out', folder, ...some])
      expect(ended.exitCode, ended.stderr).toBe(0)
      const result = mutantsResult.parse(JSON.parse(ended.stdout))
      expect(result.mutants.toSorted((a, b) => a.line - b.line)).toMatchObject([
        { id: 'mine.vcl:7:negate', killedBy: ['https'], survived: false, checks: expect.arrayContaining([expect.objectContaining({ row: 'https', check: expect.stringMatching(/^(events-pass-unbuffered|crowd-is-served-right)$/) })]) },
        { id: 'mine.vcl:7:without-arm', killedBy: [], survived: false, invalid: expect.stringMatching(/^refused: .*mine\.vcl:\d+: Unused acl nobody/) },
      ])
      expect(result).toMatchObject({ score: 100, notRun: [], base: [{ scenario: 'tls-edge-passes-everything', green: ['https'], notGreen: [] }] })
      const [name] = (await readdir(folder)).filter((one) => one.startsWith('mutants-'))
      expect(await readFile(path.join(folder, name!, 'mutants.md'), 'utf8')).toContain('| `mine.vcl:7:negate` | killed | ● |')
      expect(await readFile(path.join(folder, name!, 'mutants.html'), 'utf8')).toContain('2 of 5 mutants: 1 killed, 0 survived, 1 invalid; score 100.')
      // Neither the base nor a mutant is run again.
      const resumed = await mutants([...setting, '--json', '--resume', path.join(folder, name!), ...some])
      expect(resumed.stderr).toBe('')
      expect(mutantsResult.parse(JSON.parse(resumed.stdout)).mutants).toEqual(result.mutants)
      // Of the others, those are not run that the file has a reason for.
      const whole = await mutants([...setting, '--resume', path.join(folder, name!)])
      expect(whole.stderr.trim().split('\n')).toEqual([expect.stringContaining('survived mine.vcl:9:delete')])
      expect(whole.stdout).toMatch(/^unseen {4}mine\.vcl:8:delete +without "call own;": nobody sends it$/m)
      expect(whole.stdout).toContain('5 mutants: 1 killed, 1 survived, 1 invalid, 2 unseen; score 50.')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  test.each<[string, string[], RegExp]>([
    ['a mutant that there is not', ['--only', 'recommended.vcl:1:delete'], /^There is no mutant "recommended\.vcl:1:delete"; all are listed by: npm run mutants -- --list$/],
    ['a file that there is not', ['--edge-config', '/nowhere.vcl'], /^\/nowhere\.vcl cannot be read \(ENOENT\)/],
    ['a number that is none', ['--minutes', 'all'], /^--minutes takes a whole number from 1 to 10,000, not "all"\.$/],
    ['a scenario that there is not', ['--scenarios', 'nowhere'], /^There is no scenario "nowhere"; all are listed by: npm run simulate -- --list$/],
    ['a flag that there is not', ['--fast'], /unknown option '--fast'.*npm run mutants -- --help$/],
  ])('%s is told in one sentence, with 64', async (_name, args, sentence) => {
    const ended = await mutants([...args, '--out', path.join(tmpdir(), 'never-made')])
    expect(ended.stderr).toMatch(sentence)
    expect(ended.exitCode).toBe(64)
  })
})
