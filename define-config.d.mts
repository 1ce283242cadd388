/**
 * The types of `simulate.config.ts`. They import nothing: a project that names this file compiles none of
 * the simulator's own source. `harness/config/schema.ts` checks the same, and is held to these by the compiler.
 */

/** Settings of `npm run simulate` and `npm run audit`. Flags overrule them. Paths are relative to the file. */
export interface SimulateConfig {
  /** The production server that is judged: a program of yours, or a release. */
  server?:
    | {
        /** Its path, as `--server-bin`. */
        bin?: string | undefined
        /** The release to download, as `--server-version`: `'0.3.1'`. */
        version?: string | undefined
      }
    | undefined
  /** Which server; `'caddy'` never falls back to the reference server. By default `'auto'`. */
  origin?: 'auto' | 'caddy' | 'reference' | undefined
  /** Your origin's Caddyfile. */
  caddyfile?: string | undefined
  /** The Caddyfile that ends TLS in front of your cache. */
  tlsCaddyfile?: string | undefined
  /** Your VCL: short for `edge: { kind: 'varnish', config: '…' }`. */
  vcl?: string | undefined
  /** The cache in front of the origin; by default Varnish with the recommended VCL. */
  edge?:
    | {
        kind: 'varnish' | 'nginx' | (string & {})
        /** Its configuration. Without it the one that this project recommends is judged. */
        config?: string | undefined
      }
    | undefined
  /** Your application's source, which is read and never run: globs such as `'src/**\/*.{ts,tsx}'`. */
  app?: string | readonly string[] | undefined
  /** Streams you expect to be written at one time, 1 to 1,000,000; by default 1,000. */
  streams?: number | undefined
  /** Readers you expect in a crowd, 1 to 1,000,000; by default 10,000. */
  readers?: number | undefined
  /** What is still right. */
  bounds?:
    | {
        /** How old an answer to which the origin gives no lifetime may be, 0 to 3,600,000 ms; by default 1,000. */
        staleMs?: number | undefined
      }
    | undefined
  /** How often things are repeated; by default `'quick'`. */
  profile?: 'quick' | 'full' | 'soak' | undefined
  /** How long a soak lasts, from 20s to 14 days: `'90s'`, `'10m'`, `'8h'`, `'1h30m'`. By default 10m. */
  for?: string | undefined
  /** How services run; by default `'auto'`. `'engine'` is containers, and the simulator itself in one, where it is root. */
  runtime?: 'auto' | 'processes' | 'containers' | 'engine' | undefined
  /** Repeats a schedule; by default each run draws its own. */
  seed?: number | undefined
  /** The Chromium or Chrome for what only a browser shows, or `'none'`. */
  browser?: string | undefined
  /** Where runs are kept; by default the simulator's own `reports/`. */
  out?: string | undefined
  /**
   * Rows of the checklist that you let pass as they are, for a time. What was seen of them is shown all the
   * same; they count neither against `ready` nor for the score.
   */
  waivers?: readonly Waiver[] | undefined
}

/** One row, once. */
export interface Waiver {
  row: RowId
  /** Why, in a sentence for whoever reads the report. */
  reason: string
  /** The last day on which it counts, `'YYYY-MM-DD'` in UTC, at most a year from today. */
  until: string
}

/** The rows of the checklist. */
export type RowId =
  | 'server-production'
  | 'persistence-data-dir'
  | 'file-handles'
  | 'https'
  | 'lifecycle-set'
  | 'lifecycle-one'
  | 'lifecycle-expires'
  | 'lifecycle-sliding'
  | 'cdn-urls'
  | 'cdn-collapse'
  | 'cdn-headers'
  | 'cdn-cursor'
  | 'cdn-freshness'
  | 'client-errors'
  | 'producers'
  | 'cors'
  | 'ops-restart'
  | 'ops-graceful'
  | 'ops-reload'
  | 'ops-upgrade'
  | 'durability-crash'
  | 'durability-disk'
  | 'network-faults'
  | 'conformance'
  | 'soak'
  | 'incident-replay'

/** Returns the configuration as it was given; it is there for its types. */
export function defineConfig(config: SimulateConfig): SimulateConfig
