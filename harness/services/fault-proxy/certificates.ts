/** An authority of the fault proxy's own, and the two certificates of it that a client must refuse. */
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const dayMs = 86_400_000

export interface KeyAndCertificate {
  cert: string
  key: string
}

export interface WrongCertificates {
  /** To be trusted by clients, so that name and date alone are wrong. */
  caPem: string
  name: KeyAndCertificate
  date: KeyAndCertificate
}

export async function wrongCertificates(servername: string): Promise<WrongCertificates> {
  const caKeys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const notBefore = new Date(Date.now() - 3 * dayMs)
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Authority of the fault proxy',
    keys: caKeys,
    signingAlgorithm: algorithm,
    notBefore,
    notAfter: new Date(Date.now() + dayMs),
    extensions: [new x509.BasicConstraintsExtension(true)],
  })
  const sign = async (name: string, validForMs: number): Promise<KeyAndCertificate> => {
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: ca.subject,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: algorithm,
      notBefore,
      notAfter: new Date(Date.now() + validForMs),
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
    })
    const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
    return { cert: certificate.toString('pem'), key }
  }
  return { caPem: ca.toString('pem'), name: await sign('another.example', dayMs), date: await sign(servername, -dayMs) }
}
