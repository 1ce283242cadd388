/** `max_file_handles` fits the streams that are written at one time. Pure. */
import type { CaddyfileFacts, Expected, StreamHandler } from '../caddyfile-facts.ts'
import type { Finding, RuleOutcome } from '../finding.ts'
import type { CaddyfileRule } from '../rule.ts'

export default { row: 'file-handles', things: ['durable_streams block', 'durable_streams blocks'], judge: fileHandles } satisfies CaddyfileRule

const rule = 'file-handles'
/** What the server takes for no value, and for one that is not positive. */
const defaultHandles = 100
/** Connections, metadata, logs and libraries: 74 were seen beside the data files. */
const besideData = 256

function fileHandles({ handlers, expected }: CaddyfileFacts): RuleOutcome {
  // Without data_dir there are no files.
  const stored = handlers.filter(({ dataDir }) => dataDir !== null)
  return { examined: stored.length, findings: stored.flatMap((handler) => ofHandler(handler, expected)) }
}

function ofHandler({ maxFileHandles, place }: StreamHandler, { streams, openFilesMax }: Expected): Finding[] {
  const handles = maxFileHandles && maxFileHandles.value > 0 ? maxFileHandles.value : defaultHandles
  const at = maxFileHandles?.place ?? place
  const fix = `Set max_file_handles near the number of streams that are written at one time (max_file_handles ${streams}), and the process's limit of open files (LimitNOFILE, ulimit -n) well above it.`
  const findings: Finding[] = []
  if (maxFileHandles !== null && maxFileHandles.value < 0) {
    findings.push({ rule, severity: 'warning', ...at, message: `max_file_handles ${maxFileHandles.value} is not a number of files: the server takes its default, ${defaultHandles}.`, fix, undecided: true, yieldsToMeasurement: true })
  } else if (handles < streams) {
    const set = maxFileHandles === null ? `There is no max_file_handles, so the server keeps ${figure(handles)} files open` : `max_file_handles is ${figure(handles)}`
    findings.push({ rule, severity: 'warning', ...at, message: `${set}, and ${figure(streams)} streams are expected to be written at one time. Nothing is lost by that; each append to a stream beyond them opens its file again and closes another one's.`, fix, undecided: true, yieldsToMeasurement: true })
  }
  if (openFilesMax !== null && openFilesMax > 0 && handles + besideData > openFilesMax) {
    findings.push({ rule, severity: 'note', ...at, message: `A process on this machine may open ${figure(openFilesMax)} files, and max_file_handles ${figure(handles)} with connections beside it may need more; what counts is the limit where the server runs.`, fix: "Raise the server process's limit of open files (LimitNOFILE in systemd, --ulimit nofile in Docker) above max_file_handles plus its connections." })
  }
  return findings
}

function figure(value: number): string {
  return value.toLocaleString('en-US')
}
