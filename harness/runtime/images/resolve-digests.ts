/** `npm run resolve-images`: asks the registry for the digest of each public tag and notes it. */
import { writeFileSync } from 'node:fs'
import { UsageError } from '../../errors.ts'
import { openEngine } from '../engine.ts'
import { digestsFile, publicTags, type Digests, type PublicImage } from './public-images.ts'

const digestShape = /^sha256:[0-9a-f]{64}$/

try {
  writeFileSync(digestsFile, `${JSON.stringify(await resolve(), null, 2)}\n`)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 64
}

async function resolve(): Promise<Digests> {
  const { docker } = await openEngine()
  const digests: Digests = {}
  for (const [image, tag] of Object.entries(publicTags) as [PublicImage, string][]) {
    const found = await docker.getImage(tag).distribution().catch((error: Error) => {
      throw new UsageError(`The registry did not tell the digest of ${tag}: ${error.message.trim()}`)
    })
    const { digest } = found.Descriptor
    if (!digestShape.test(digest)) throw new UsageError(`The registry gave "${digest}" as the digest of ${tag}.`)
    digests[image] = digest
    process.stdout.write(`${tag} is ${digest}\n`)
  }
  return digests
}
