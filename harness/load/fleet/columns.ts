/**
 * The file with every reader's story: a JSON line that says which columns follow, the columns as
 * raw little-endian arrays, each at a multiple of 8 bytes, and a JSON text with the tables that
 * the columns point into.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { endianness } from 'node:os'
import { z } from 'zod'
import { HarnessError } from '../../errors.ts'
import type { Crowd } from './crowd.ts'
import { noValue } from './distinct.ts'

export { noValue }
import { outcomes, type Outcome } from './outcomes.ts'

const arrayTypes = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  f64: Float64Array,
} as const
type ArrayType = keyof typeof arrayTypes
type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array

const format = 'fleet-columns/1'
const headerSchema = z.strictObject({
  format: z.literal(format),
  readers: z.int().min(1),
  columns: z.array(z.strictObject({ name: z.string(), type: z.enum(['u8', 'u16', 'u32', 'f64']) })),
  /** Where the columns begin and the tables begin, in bytes. */
  columnsAt: z.int(),
  tablesAt: z.int(),
})
type Header = z.output<typeof headerSchema>

const tablesSchema = z.strictObject({
  outcomes: z.array(z.string()),
  errors: z.array(z.string()),
  bodyHashes: z.array(z.string()),
  headers: z.record(z.string(), z.array(z.string())),
})
type Tables = z.output<typeof tablesSchema>

/** What is known of one reader. Times are those of the machine's monotonic clock. */
export interface ReaderRow {
  reader: number
  outcome: Outcome
  /** 0 when there was no response. */
  status: number
  error?: string
  bodyBytes: number
  /** sha256 in hex; absent when there was no response. */
  bodyHash?: string
  dataEvents: number
  /** When the open-loop schedule wanted it to arrive. NaN, as in the others: never. */
  dueMs: number
  connectStartMs: number
  connectedMs: number
  sentMs: number
  firstByteMs: number
  lastByteMs: number
  headers: Record<string, string>
}

/** Writes the file; throws the file system's errors. */
export function writeColumns(path: string, crowd: Crowd): void {
  const columns = columnsOf(crowd)
  const header = describe(crowd.readers, columns)
  const file = openSync(path, 'w', 0o600)
  try {
    const line = `${JSON.stringify(header)}\n`
    writeAll(file, Buffer.from(line.padStart(header.columnsAt)), 0)
    let at = header.columnsAt
    for (const [, , column] of columns) {
      writeAll(file, Buffer.from(column.buffer, column.byteOffset, column.byteLength), at)
      at += aligned(column.byteLength)
    }
    writeAll(file, Buffer.from(JSON.stringify(tablesOf(crowd))), header.tablesAt)
  } finally {
    closeSync(file)
  }
}

/** A column file, read. */
export class Columns {
  readonly readers: number
  readonly #columns: Map<string, Column>
  readonly #tables: Tables

  constructor(readers: number, columns: Map<string, Column>, tables: Tables) {
    this.readers = readers
    this.#columns = columns
    this.#tables = tables
  }

  /** The sha256 values that `bodyHash` points to. */
  get bodyHashes(): readonly string[] {
    return this.#tables.bodyHashes
  }

  /** The values that `header:<name>` points to. */
  headerValues(name: string): readonly string[] {
    return this.#tables.headers[name] ?? []
  }

  /**
   * A column as numbers: `status`, `outcome`, `lastByteMs`, `header:etag`, ...
   * @throws HarnessError when the file has no such column
   */
  column(name: string): Column {
    const column = this.#columns.get(name)
    if (!column) throw new HarnessError(`The fleet's column file has no column ${name}.`)
    return column
  }

  /** One reader's story with its values looked up. */
  row(reader: number): ReaderRow {
    const at = (name: string) => this.column(name)[reader]!
    const hash = this.#tables.bodyHashes[at('bodyHash')]
    const error = this.#tables.errors[at('error') - 1]
    const headers: Record<string, string> = {}
    for (const [name, values] of Object.entries(this.#tables.headers)) {
      const value = values[at(`header:${name}`)]
      if (value !== undefined) headers[name] = value
    }
    return {
      reader,
      outcome: this.#tables.outcomes[at('outcome')] as Outcome,
      status: at('status'),
      ...(error !== undefined && { error }),
      bodyBytes: at('bodyBytes'),
      ...(hash !== undefined && { bodyHash: hash }),
      dataEvents: at('dataEvents'),
      dueMs: at('dueMs'),
      connectStartMs: at('connectStartMs'),
      connectedMs: at('connectedMs'),
      sentMs: at('sentMs'),
      firstByteMs: at('firstByteMs'),
      lastByteMs: at('lastByteMs'),
      headers,
    }
  }
}

/**
 * Reads a column file.
 * @throws HarnessError when it is not one, or is cut short
 */
export function readColumns(path: string): Columns {
  const bytes = readFileSync(path)
  const header = parsed(path, headerSchema, bytes.subarray(0, Math.max(0, bytes.indexOf(10))))
  const columns = new Map<string, Column>()
  let at = header.columnsAt
  for (const { name, type } of header.columns) {
    const length = header.readers * arrayTypes[type].BYTES_PER_ELEMENT
    if (at + length > header.tablesAt || at + length > bytes.length) {
      throw new HarnessError(`The fleet's column file ${path} ends within the column ${name}.`)
    }
    const copy = Uint8Array.from(bytes.subarray(at, at + length))
    columns.set(name, new arrayTypes[type](copy.buffer))
    at += aligned(length)
  }
  const tables = parsed(path, tablesSchema, bytes.subarray(header.tablesAt))
  return new Columns(header.readers, columns, tables)
}

function columnsOf(crowd: Crowd): [string, ArrayType, Column][] {
  return [
    ['status', 'u16', crowd.status],
    ['outcome', 'u8', crowd.outcome],
    ['error', 'u16', crowd.error],
    ['bodyBytes', 'f64', crowd.bodies.bytes],
    ['bodyHash', 'u32', crowd.bodyHash],
    ['dataEvents', 'u32', crowd.dataEvents],
    ['dueMs', 'f64', crowd.dueMs],
    ['connectStartMs', 'f64', crowd.connectStartMs],
    ['connectedMs', 'f64', crowd.connectedMs],
    ['sentMs', 'f64', crowd.sentMs],
    ['firstByteMs', 'f64', crowd.firstByteMs],
    ['lastByteMs', 'f64', crowd.lastByteMs],
    ...crowd.headers.map((column, i): [string, ArrayType, Column] => [
      `header:${crowd.headerNames[i]}`,
      'u32',
      column,
    ]),
  ]
}

function tablesOf(crowd: Crowd): Tables {
  return {
    outcomes: [...outcomes],
    errors: crowd.errors.values,
    bodyHashes: crowd.bodies.hashes.values,
    headers: Object.fromEntries(
      crowd.headerNames.map((name, i) => [name, crowd.headerValues[i]!.distinct.values]),
    ),
  }
}

/** The header; its own length moves the columns, so room is left for the largest offsets. */
function describe(readers: number, columns: [string, ArrayType, Column][]): Header {
  if (endianness() !== 'LE') throw new HarnessError('Column files need a little-endian machine.')
  const header: Header = {
    format,
    readers,
    columns: columns.map(([name, type]) => ({ name, type })),
    columnsAt: 0,
    tablesAt: 0,
  }
  header.columnsAt = aligned(JSON.stringify(header).length + 48)
  header.tablesAt = columns.reduce(
    (at, [, , column]) => at + aligned(column.byteLength),
    header.columnsAt,
  )
  return header
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8
}

function writeAll(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(file, bytes, done, bytes.length - done, position + done)
  }
}

function parsed<S extends z.ZodType>(path: string, schema: S, bytes: Buffer): z.output<S> {
  try {
    return schema.parse(JSON.parse(bytes.toString()))
  } catch (cause) {
    throw new HarnessError(`${path} is not a fleet's column file.`, { cause })
  }
}

