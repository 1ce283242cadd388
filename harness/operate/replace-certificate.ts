/** Another certificate for the TLS edge, of the authority that clients know already. */
import 'reflect-metadata'
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import tls from 'node:tls'
import * as x509 from '@peculiar/x509'
import { listAt, objectAt, type JsonObject } from '../confine/json.ts'
import type { Endpoint } from '../operations.ts'
import { within } from '../until.ts'
import { reloadCaddy } from './reload.ts'
import type { RoutineOutcome } from '../world.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const hourMs = 3_600_000
const tag = 'replacement'

export interface TlsEdgeInHand {
  /** In force until now. */
  config: JsonObject
  adminSocket: string
  /** Of the internal authority, and where the new files are put. */
  storage: string
  folder: string
  endpoint: Endpoint
}

/**
 * Signs a certificate for the edge's name with the key of its internal authority, loads it, and
 * shakes hands anew: the serial number is another one, and the chain verifies as before.
 */
export async function replaceCertificate(edge: TlsEdgeInHand): Promise<RoutineOutcome> {
  const name = edge.endpoint.tls!.servername
  const before = await handshake(edge.endpoint)
  const files = await signedBy(path.join(edge.storage, 'pki', 'authorities', 'local'), name, edge.folder)
  const outcome = await reloadCaddy(edge.adminSocket, withCertificate(edge.config, files))
  if (!outcome.proven) return outcome
  const after = await handshake(edge.endpoint)
  const proof = `a new handshake is shown serial ${short(after.serial)} in place of ${short(before.serial)}`
  if (!after.authorized) return { proven: false, proof: '', refused: `the new chain does not verify: ${after.error}` }
  return { proven: after.serial !== before.serial && after.serial === files.serial, proof }
}

function short(serial: string): string {
  return `…${serial.slice(-8)}`
}

/** The loaded certificate is chosen by its tag: the one that is managed stays where it is. */
function withCertificate(config: JsonObject, { certificate, key }: { certificate: string; key: string }): JsonObject {
  const apps = objectAt(config, 'apps')
  const http = objectAt(apps, 'http')
  const servers = Object.fromEntries(
    Object.entries(objectAt(http, 'servers')).map(([name, value]) => {
      const server = objectAt(value)
      if (server.tls_connection_policies === undefined) return [name, server]
      const policies = listAt(server, 'tls_connection_policies').map((policy) => ({ ...objectAt(policy), certificate_selection: { any_tag: [tag] } }))
      return [name, { ...server, tls_connection_policies: policies }]
    }),
  )
  const certificates = { load_files: [{ certificate, key, tags: [tag] }] }
  return { ...config, apps: { ...apps, http: { ...http, servers }, tls: { ...objectAt(apps, 'tls'), certificates } } }
}

async function signedBy(authority: string, name: string, folder: string) {
  const intermediatePem = await readFile(path.join(authority, 'intermediate.crt'), 'utf8')
  const issuer = new x509.X509Certificate(intermediatePem)
  const signingKey = await privateKey(await readFile(path.join(authority, 'intermediate.key'), 'utf8'))
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const serial = `00${randomBytes(12).toString('hex')}`
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: `CN=${name}`,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - hourMs),
    notAfter: new Date(Date.now() + hourMs),
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  })
  const certificate = path.join(folder, 'replacement.crt')
  const key = path.join(folder, 'replacement.key')
  await writeFile(certificate, `${leaf.toString('pem')}\n${intermediatePem}`)
  await writeFile(key, x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'), { mode: 0o600 })
  return { certificate, key, serial: bare(serial) }
}

/** Caddy writes SEC 1 (`EC PRIVATE KEY`), which WebCrypto does not read. */
async function privateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const pkcs8 = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign'])
}

function bare(serial: string): string {
  return serial.toLowerCase().replace(/^0+/, '')
}

const handshakeMs = 5_000

async function handshake({ url, tls: edge }: Endpoint): Promise<{ serial: string; authorized: boolean; error: string }> {
  const { hostname, port } = new URL(url)
  const socket = tls.connect({ host: hostname, port: Number(port), servername: edge!.servername, ca: edge!.caPem, rejectUnauthorized: false })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('secureConnect', () => resolve())
  socket.once('error', reject)
  try {
    await within(promise, { for: 'a TLS handshake', timeoutMs: handshakeMs })
    return { serial: bare(socket.getPeerCertificate().serialNumber), authorized: socket.authorized, error: String(socket.authorizationError ?? '') }
  } finally {
    socket.destroy()
  }
}
