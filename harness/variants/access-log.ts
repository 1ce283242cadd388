import type { Variant } from './variant.ts'
import { withAccessLog } from './log-rotation.ts'

/** Each request becomes a line of JSON in a file. */
export const accessLog: Variant = {
  id: 'access-log',
  words: 'with an access log',
  change: (config, { folder }) => withAccessLog(config, { output: 'file', filename: `${folder}/access.log` }),
  trace: { kind: 'files', beginning: 'access', atLeast: 1, text: '"uri":' },
}
