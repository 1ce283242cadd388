/** How numbers are written, the same in every rendering. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const hundredths = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })
const significant = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** `12,042`; small fractions keep three digits. */
export function number(value: number): string {
  const size = Math.abs(value)
  if (size >= 1_000 || Number.isInteger(value)) return whole.format(value)
  return significant.format(value)
}

/** `0.4 ms`, `812 ms`, `12.3 s`, `2 min 41 s`, `3 h 20 min`; negative times keep their sign. */
export function duration(ms: number): string {
  const size = Math.abs(ms)
  if (size < 9.95) return `${tenths.format(ms)} ms`
  if (size < 999.5) return `${whole.format(ms)} ms`
  if (size < 9_995) return `${hundredths.format(ms / 1_000)} s`
  if (size < 59_950) return `${tenths.format(ms / 1_000)} s`
  return (ms < 0 ? '-' : '') + longDuration(Math.round(size / 1_000))
}

function longDuration(seconds: number): string {
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min${seconds % 60 === 0 ? '' : ` ${seconds % 60} s`}`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** `512 B`, `3.9 KiB`, `24 GiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let size = value
  let unit = 0
  while (Math.abs(size) >= 1_024 && unit < units.length - 1) {
    size /= 1_024
    unit += 1
  }
  const text = Math.abs(size) >= 100 || Number.isInteger(size) ? whole.format(size) : tenths.format(size)
  return `${text} ${units[unit]}`
}

/** A share of one: `9.5 %`. */
export function percent(share: number): string {
  return `${significant.format(share * 100)} %`
}

/** Of something that grows: `+1.2 MiB`, `-3`, `+0.4 ms`. Without bound it is infinite. */
export function amount(value: number, unit: 'bytes' | 'ms' | 'count', signed = false): string {
  const sign = signed && value > 0 ? '+' : ''
  if (!Number.isFinite(value)) return value < 0 ? '-∞' : `${sign}∞`
  if (unit === 'bytes') return `${sign}${bytes(Math.abs(value) < 1_024 ? Math.round(value) : value)}`
  if (unit === 'ms') return `${sign}${duration(value)}`
  return `${sign}${number(Math.abs(value) >= 10 ? Math.round(value) : Number(value.toPrecision(2)))}`
}

/** A measured value with its unit, times and bytes in readable sizes. */
export function valueWithUnit(value: number, unit: string | undefined): string {
  if (unit === 'ms') return duration(value)
  if (unit === 's') return duration(value * 1_000)
  if (unit === 'bytes' || unit === 'B') return bytes(value)
  return unit ? `${number(value)} ${value === 1 ? singular(unit) : unit}` : number(value)
}

/** `kills` as `kill`, `readers wrong` as `reader wrong`, `upstream requests` as `upstream request`. */
function singular(unit: string): string {
  return unit.replace(/(\w{2,}[^s\W])s\b/, '$1')
}

/** `1 kill`, `2 kills`, `3 retries`. */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`
}

/** A fault's id as words: `second server on data_dir`. */
export function faultWords(id: string): string {
  return id.replaceAll('-', ' ').replace('data dir', 'data_dir')
}

/** `2026-11-24 04:15:02 UTC`, or the text as it stands if it is no time. */
export function instant(iso: string): string {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
