/** Generates HTTP/1.1 responses as bytes, together with what they mean. */
import fc from 'fast-check'

export interface GeneratedResponse {
  status: number
  body: Buffer
  wire: Buffer
  /** Whether the end of the response is the end of the connection. */
  untilClose: boolean
  tag: string
}

const names = ['Date', 'ETag', 'X-Varnish', 'Via', 'stream-next-offset', 'X', 'Content-Lengthy']
const header = fc.tuple(
  fc.constantFrom(...names),
  fc.constantFrom('', ' ', ' \t'),
  fc.stringMatching(/^[!-~]([ -~]{0,40}[!-~])?$/),
)

/** No 100: undici, which never asks to continue, takes it as a bad response. */
const interim = fc.constantFrom(
  'HTTP/1.1 102 Processing\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nX-Tag: not yet\r\n\r\n',
)

const framing = fc.oneof(
  fc.record({ kind: fc.constant('length' as const) }),
  fc.record({ kind: fc.constant('close' as const) }),
  fc.record({
    kind: fc.constant('chunked' as const),
    sizes: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }),
    extension: fc.constantFrom('', ';a=b', ';name="x y"'),
    upper: fc.boolean(),
    trailers: fc.constantFrom('', 'X-Sum: 1\r\n', 'A: b\r\nC: d\r\n'),
  }),
  fc.record({ kind: fc.constant('none' as const), status: fc.constantFrom(204, 304) }),
)

export const response: fc.Arbitrary<GeneratedResponse> = fc
  .record({
    status: fc.constantFrom(200, 201, 206, 400, 404, 410, 503),
    reason: fc.constantFrom('', ' ', ' OK', ' Not what you think'),
    headers: fc.array(header, { maxLength: 12 }),
    tag: fc.stringMatching(/^[a-z0-9]{1,8}$/),
    interims: fc.array(interim, { maxLength: 2 }),
    framing,
    body: fc.uint8Array({ maxLength: 3_000 }),
  })
  .map(({ status, reason, headers, tag, interims, framing, body: bytes }) => {
    const bodiless = framing.kind === 'none'
    const body = bodiless ? Buffer.alloc(0) : Buffer.from(bytes)
    const final = bodiless ? framing.status : status
    const lines = headers.map(([name, blank, value]) => `${name}:${blank}${value}\r\n`)
    const head = [
      ...interims,
      `HTTP/1.1 ${final}${reason || ' '}\r\n`,
      ...lines,
      `X-Tag: ${tag}\r\n`,
      ...(framing.kind === 'length' ? [`content-LENGTH: ${body.length}\r\n`] : []),
      ...(framing.kind === 'chunked' ? ['Transfer-Encoding: chunked\r\n'] : []),
      ...(framing.kind === 'close' ? ['Connection: close\r\n'] : []),
      '\r\n',
    ].join('')
    const coded = framing.kind === 'chunked' ? chunked(body, framing) : body
    const wire = Buffer.concat([Buffer.from(head, 'latin1'), coded])
    const answer = { status: final, body, wire, untilClose: framing.kind === 'close', tag }
    // What a failed property prints.
    const printed = () => JSON.stringify(wire.toString('latin1'))
    return Object.assign(answer, { [fc.toStringMethod]: printed })
  })

interface Chunking {
  sizes: number[]
  extension: string
  upper: boolean
  trailers: string
}

function chunked(body: Buffer, { sizes, extension, upper, trailers }: Chunking): Buffer {
  const parts: Buffer[] = []
  for (let at = 0, i = 0; at < body.length; i++) {
    const chunk = body.subarray(at, at + sizes[i % sizes.length]!)
    const size = chunk.length.toString(16)
    parts.push(Buffer.from(`${upper ? size.toUpperCase() : size}${extension}\r\n`))
    parts.push(chunk, Buffer.from('\r\n'))
    at += chunk.length
  }
  return Buffer.concat([...parts, Buffer.from(`0\r\n${trailers}\r\n`)])
}
