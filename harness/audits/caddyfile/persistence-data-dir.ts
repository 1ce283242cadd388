/** Every stream is kept in a folder that survives the process, the machine and the next deploy. Pure. */
import type { CaddyfileFacts, StreamHandler } from '../caddyfile-facts.ts'
import type { Finding, RuleOutcome } from '../finding.ts'
import type { CaddyfileRule } from '../rule.ts'

export default { row: 'persistence-data-dir', things: ['durable_streams block', 'durable_streams blocks'], judge: persistenceDataDir } satisfies CaddyfileRule

const rule = 'persistence-data-dir'
const fix = 'Set data_dir to an absolute path on a volume that stays: data_dir /var/lib/durable-streams'

function persistenceDataDir({ handlers }: CaddyfileFacts): RuleOutcome {
  return { examined: handlers.length, findings: [...handlers.flatMap(ofHandler), ...shared(handlers)] }
}

function ofHandler({ dataDir, place }: StreamHandler): Finding[] {
  if (dataDir === null) {
    return [{ rule, severity: 'error', ...place, message: 'There is no data_dir, so the streams live in memory: the next restart loses all of them.', fix }]
  }
  const { value, place: at } = dataDir
  if (/\{[^}]*\}/.test(value)) {
    return [{ rule, severity: 'error', ...at, message: `The server does not put in ${/\{[^}]*\}/.exec(value)![0]}: it makes a folder of that very name in the folder that it was started in.`, fix: 'Write {$NAME} with a dollar sign, which Caddy puts in while it reads the file, or the path itself.' }]
  }
  if (!isAbsolute(value)) {
    const tilde = value.startsWith('~') ? ' (a ~ is not put in either)' : ''
    return [{ rule, severity: 'warning', ...at, undecided: true, message: `data_dir ${value} is relative${tilde}: started from another folder, by systemd or in a container say, the server begins with no streams.`, fix }]
  }
  const lost = lostPlaces.find(({ below }) => isBelow(value, below))
  if (!lost) return []
  return [{ rule, severity: lost.severity, ...at, ...(lost.severity === 'warning' ? { undecided: true as const } : {}), message: `data_dir ${value} is ${lost.because}`, fix }]
}

/** Where the Filesystem Hierarchy Standard 3.0 (2.3, 3.15, 3.18, 5.15) and file-hierarchy(7) promise nothing. */
const lostPlaces = [
  { below: '/tmp', severity: 'error', because: 'below /tmp, which is emptied at each boot and cleaned in between.' },
  { below: '/run', severity: 'error', because: 'below /run, which is in memory: the next boot loses all streams.' },
  { below: '/var/run', severity: 'error', because: 'below /var/run, which is /run and in memory: the next boot loses all streams.' },
  { below: '/dev/shm', severity: 'error', because: 'in shared memory: the next boot loses all streams.' },
  { below: '/var/tmp', severity: 'warning', because: 'below /var/tmp, where files that nobody touches for 30 days are removed on many systems.' },
  { below: '/var/cache', severity: 'warning', because: 'below /var/cache, which an operator may empty at any time.' },
] as const

/** Each opens the folder for itself, and the second one is refused its lock: the server does not start. */
function shared(handlers: readonly StreamHandler[]): Finding[] {
  const seen = new Map<string, StreamHandler>()
  return handlers.flatMap((handler): Finding[] => {
    if (handler.dataDir === null) return []
    const name = handler.dataDir.value.replace(/(?<=.)\/+$/, '')
    const first = seen.get(name)
    seen.set(name, first ?? handler)
    if (!first) return []
    const isSame = first.place.line === handler.place.line && first.place.file === handler.place.file && first.place.column === handler.place.column
    if (isSame) {
      return [{ rule, severity: 'error', ...handler.place, message: `This one block runs twice, for ${first.listens.join(' ')} and for ${handler.listens.join(' ')}, and both open ${name}: the second is refused the lock, and the server does not start.`, fix: 'Serve streams from one listener: leave plain HTTP to redirect, or proxy one site to the other.' }]
    }
    return [{ rule, severity: 'error', ...handler.dataDir.place, message: `${name} is also the data_dir of the durable_streams at ${first.place.file}:${first.place.line}: the second one is refused the lock, and the server does not start.`, fix: 'Give each durable_streams a data_dir of its own, or serve both paths by one.' }]
  })
}

function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]|^\\\\/.test(path)
}

function isBelow(path: string, folder: string): boolean {
  const plain = path.replaceAll(/\/+(\.\/)*/g, '/')
  return plain === folder || plain.startsWith(`${folder}/`)
}
