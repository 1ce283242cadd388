/** What this machine lacks is told as that: refused with 64 before anything starts, or `unknown`; never a failure of the server. */
import { createServer, type AddressInfo, type Server } from 'node:net'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { execaSync } from 'execa'
import { describe, expect, test } from 'vitest'
import { findProgram } from '../../harness/provision/find-program.ts'
import { until } from '../../harness/until.ts'
import { sayNotTested, serverBinary } from '../confine/programs.ts'
import { temporaryFolder } from '../provision/temporary-folder.ts'
import { publicCommand, simulate, startSimulation, type SimulationOptions } from './simulation.ts'

const reference = ['tls-edge-passes-everything', '--origin', 'reference']

/** A command that runs `script` first, in namespaces of its own, and then the public one: nothing of it stays. */
function after(script: string, namespaces: string): string[] {
  return ['unshare', '--map-root-user', ...namespaces.split(' '), 'sh', '-ec', `${script}; exec "$@"`, 'sh', ...publicCommand]
}

async function expectRefused(args: string[], sentence: RegExp, options: SimulationOptions): Promise<void> {
  const refused = await simulate(args, options)
  await using simulation = refused.simulation
  expect(refused.stderr).toMatch(sentence)
  expect(refused).toMatchObject({ code: 64, stdout: '' })
  await simulation.leavesNothing({ processes: [], listeners: [] })
  expect(simulation.runFolders()).toEqual([])
}

const trial = execaSync('unshare', ['--map-root-user', '--mount', '--net', '--user', 'sh', '-ec', 'mount -t tmpfs tmpfs /mnt; ip link set lo up'], { reject: false })
const namespaces = trial.exitCode === 0
if (!namespaces) sayNotTested('a full disk, no compiler, no free port', `no namespaces can be made here: ${trial.stderr.split('\n')[0]}`)

describe.skipIf(!namespaces)('a disk that is almost full', () => {
  const small = 'mkdir -p ../small; mount -t tmpfs -o size=20m tmpfs ../small'

  test('where the runs are kept', () =>
    expectRefused([...reference, '--out', '../small/runs'], /^Only 20 MiB are free where the output folder \S+small\/runs is; a run needs 1,024 MiB: .*--out\.\n$/, {
      command: after(small, '--mount'),
    }))

  test('where temporary data goes', () =>
    expectRefused(reference, /^Only 20 MiB are free where temporary data goes \(\S+small\); a run needs 1,024 MiB: .*TMPDIR to another one\.\n$/, {
      command: after(`${small}; export TMPDIR=$(realpath ../small)`, '--mount'),
    }))
})

describe.skipIf(!namespaces)('a C compiler', () => {
  /** Puts a file in the place of every compiler that Varnish might call. */
  const compilers = ['gcc', 'cc'].map((name) => findProgram(name, process.env)).filter((found) => found !== null)
  const replaceBy = (file: string) => compilers.map((compiler) => `mount --bind ${file} $(realpath ${compiler})`).join('; ')
  // Root would install one: the second namespace makes an ordinary user of it.
  const ordinary = 'set -- unshare --user --map-user=1000 "$@"'

  test('that is not there', () =>
    expectRefused(reference, /there is no C compiler, which Varnish needs for each VCL; run: .*gcc/i, {
      command: after(`${replaceBy('/dev/null')}; ${ordinary}`, '--mount'),
    }))

  test('that does not work', () =>
    expectRefused(reference, /^The C compiler that Varnish needs for each VCL does not work: it exited with 1 and said nothing; .*gcc libc6-dev\)\.\n$/, {
      command: after(replaceBy(findProgram('false', process.env)!), '--mount'),
    }))
})

describe('a taken port', () => {
  /** Listens on every port that runs lease, then becomes the command. */
  const taker = `
    import { spawn } from 'node:child_process'
    import { createServer } from 'node:net'
    import { once } from 'node:events'
    for (let port = 20_000; port < 30_000; port += 1) await once(createServer().listen(port, '127.0.0.1'), 'listening')
    const [program, ...args] = process.argv.slice(1)
    spawn(program, args, { stdio: 'inherit' }).once('exit', (code) => process.exit(code ?? 1))
  `
  const files = Number(execaSync('sh', ['-c', 'ulimit -Hn']).stdout) || Number.POSITIVE_INFINITY
  if (files < 11_000) sayNotTested('no free port', `this process may open ${files} files, not 11,000`)

  test.skipIf(!namespaces || files < 11_000)('and another, and all of them', () => {
    const takes = 'ip link set lo up; echo 32768 60999 > /proc/sys/net/ipv4/ip_local_port_range'
    const script = `${takes}; set -- ${process.execPath} --input-type=module -e "$TAKER" "$@"`
    return expectRefused(reference, /^No loopback port between 20000 and 29999 is free: end some programs that listen there\.\n$/, {
      command: after(script, '--net'),
      env: { TAKER: taker },
    })
  })

  if (!serverBinary) sayNotTested("a taken port in the user's own Caddyfile", 'DURABLE_STREAMS_SERVER_BIN is not set')
  test.skipIf(!serverBinary)("of the user's own Caddyfile is not needed: it is moved", async () => {
    await using taken = await listen(0)
    using folder = temporaryFolder()
    const caddyfile = path.join(folder.path, 'Caddyfile')
    writeFileSync(caddyfile, `:${taken.port} {\n  route /v1/stream/* {\n    durable_streams {\n      data_dir /var/lib/streams\n    }\n  }\n}\n`)
    const ended = await simulate(['tls-edge-passes-everything', '--caddyfile', caddyfile])
    await using simulation = ended.simulation
    expect(ended.code, ended.stderr).toBe(2)
    expect(simulation.result().scenarios).toMatchObject([{ id: 'tls-edge-passes-everything', verdict: 'pass' }])
    expect(taken.connections()).toBe(0)
  })

  test('that another program takes while the server is down is unknown, and names it', async () => {
    await using simulation = startSimulation(['kill-under-load', '--origin', 'reference'])
    await simulation.says('round 1')
    const origin = await until(() => simulation.running('reference-origin.ts')[0], { for: 'the origin', timeoutMs: 10_000 })
    await using _ = await listen(Number(/"port":(\d+)/.exec(origin.command)![1]))
    const ended = await simulation.ended()
    expect(ended.code, ended.stderr).toBe(2)
    const [scenario] = simulation.result().scenarios
    expect(scenario).toMatchObject({ id: 'kill-under-load', verdict: 'unknown' })
    expect(scenario!.because).toMatch(new RegExp(`is listened on by process ${process.pid}\\b`))
    expect(scenario!.checks.filter((check) => check.verdict === 'fail')).toEqual([])
    await simulation.leavesNothing({ processes: [], listeners: [] })
  })
})

interface Listener extends AsyncDisposable {
  port: number
  connections(): number
}

/** Listens on a port as soon as it is free. */
async function listen(port: number): Promise<Listener> {
  let connections = 0
  const server = await until(() => tryToListen(port, () => (connections += 1)), { for: `port ${port} to be free`, timeoutMs: 20_000, everyMs: 0 })
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function tryToListen(port: number, onConnection: () => void): Promise<Server | null> {
  const { promise, resolve } = Promise.withResolvers<Server | null>()
  const server = createServer((socket) => {
    onConnection()
    socket.destroy()
  })
  server.once('error', () => resolve(null))
  server.listen(port, '127.0.0.1', () => resolve(server))
  return promise
}

describe('a low limit of open files', () => {
  const limited = (files: number) => ['sh', '-c', `ulimit -n ${files}; exec "$@"`, 'sh', ...publicCommand]

  test('that the server itself would run into is refused', () =>
    expectRefused(reference, /^A process may open only 200 files on this host \(ulimit -Hn\), and a run needs 512: raise the limit\.\n$/, {
      command: limited(200),
    }))

  test.skipIf(!serverBinary)('is held against the pool of the Caddyfile and the streams expected', async () => {
    const sentence = /^A process may open only 1,024 files on this host .* with max_file_handles 1,000 and 1,000 streams needs 1,256: raise the limit, or give fewer --streams\.\n$/
    await expectRefused(['tls-edge-passes-everything'], sentence, { command: limited(1_024) })
  })

  test('bounds the crowds and says so; nothing is blamed on the server', async () => {
    const args = ['fan-out-long-poll', '--origin', 'reference', '--readers', '600']
    await using simulation = startSimulation(args, { command: limited(640) })
    await simulation.holdsReaders(400)
    // What was seen when the next crowd comes suffices: those over h2 take their time.
    for (const crowds of [0, 1]) {
      await until(() => simulation.running('fleet.ts').length === crowds, { for: 'the next crowd', timeoutMs: 20_000, everyMs: 5 })
    }
    process.kill(-simulation.pid, 'SIGINT')
    const ended = await simulation.ended()
    expect(ended.code, ended.stderr).toBe(130)
    const result = simulation.result()
    const checks = result.scenarios.flatMap((one) => one.checks)
    expect(checks.map((check) => check.verdict)).not.toContain('fail')
    expect(checks.find((check) => check.id === 'crowd-collapses')).toMatchObject({
      verdict: 'unknown',
      because: expect.stringMatching(/This host holds \d+ of 600 readers: .* may open 640 files/),
    })
    expect(result.host.readersMax).toBeLessThan(600)
    expect(ended.stdout.replaceAll(/\s+/g, ' ')).toMatch(/This host holds \d+ readers at once: .* may open 640 files/)
  })
})
