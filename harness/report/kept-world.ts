/** What is said of a world that is left running: where everything is, how to ask it, how to stop it. Pure. */
import { viaWords } from '../hop-words.ts'
import type { Via } from '../history.ts'
import { shellWord } from '../shell-word.ts'
import { duration } from './figures.ts'
import { neutralise } from './neutralise.ts'

export interface KeptAddress {
  via: Via
  url: string
  /** What requests say in `Host`. */
  authority: string
  /** Sent with every request, where somebody asks who it is. */
  headers: Record<string, string>
  isRunning: boolean
}

export interface KeptPlaces {
  /** The scenario's. */
  id: string
  addresses: readonly KeptAddress[]
  dataDir: string | null
  /** Of the origin; null where it listens on none. */
  adminSocket: string | null
  /** The certificate authority of the TLS edge. */
  caFile: string | null
  logs: string
  /** The path of a stream that there is; null where the scenario left none. */
  stream: string | null
  /** The command that stops it. */
  stop: string
  keptMsMax: number
}

const whereWords: Partial<Record<Via, string>> = {
  direct: 'the tap in front of the origin, as the cache asks it',
  edge: 'the cache',
  tls: 'the TLS edge, with the cache behind it',
  plain: 'the TLS edge, without TLS',
  'origin-tls': 'the origin, with TLS as its own Caddyfile ends it',
}

/** Lines without a break at their end. */
export function keptWorldLines(places: KeptPlaces): string[] {
  const { id, addresses, dataDir, adminSocket, caFile, logs, stop, keptMsMax } = places
  const rows: [string, string][] = [
    ...addresses.map(({ via, url, isRunning }): [string, string] => [via, `${url}  ${isRunning ? whereWords[via] ?? viaWords[via] ?? via : 'not running: the scenario left it so'}`]),
    ...(caFile === null ? [] : [['tls CA', caFile] as [string, string]]),
    ['data_dir', dataDir ?? 'none: this origin keeps nothing on disk'],
    ['admin', adminSocket === null ? 'the origin has no admin API in this scenario' : `curl --unix-socket ${shellWord(adminSocket)} http://localhost/config/`],
    ['logs', logs],
  ]
  const wide = Math.max(...rows.map(([name]) => name.length))
  return [
    '',
    `The world of ${id} is left running, for ${duration(keptMsMax)} at most:`,
    ...rows.map(([name, text]) => `  ${name.padEnd(wide)}  ${text}`),
    ...curlLines(places),
    `Stop it with Ctrl-C, or from elsewhere: ${stop}`,
  ].map(neutralise)
}

/** By the way that production's clients come. */
function curlLines({ addresses, stream, caFile }: KeptPlaces): string[] {
  const running = addresses.filter(({ isRunning }) => isRunning)
  const way = (['tls', 'edge', 'origin'] as const).map((via) => running.find((one) => one.via === via)).find((one) => one !== undefined)
  if (way === undefined || stream === null) return []
  const path = `${stream}?offset=-1`
  const headers = Object.entries(way.headers).map(([name, value]) => ` -H ${shellWord(`${name}: ${value}`)}`).join('')
  const { host, protocol } = new URL(way.url)
  if (protocol === 'https:') {
    return [`  Read a stream:  curl -i --cacert ${shellWord(caFile ?? '')} --connect-to ::${host} ${shellWord(`https://${way.authority}${path}`)}${headers}`]
  }
  const named = way.authority === host ? '' : ` -H ${shellWord(`Host: ${way.authority}`)}`
  return [`  Read a stream:  curl -i ${shellWord(`${way.url}${path}`)}${named}${headers}`]
}
