/** `npm run resolve-images`: asks the registry for the digest of each public tag and notes it. */
import { writeFileSync } from 'node:fs'
import { edges } from '../../edges/edges.ts'
import { UsageError } from '../../errors.ts'
import { openEngine } from '../engine.ts'
import { digestsFile, publicTags, type Digests } from './public-images.ts'

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
  const images = [...Object.entries(publicTags), ...edges.map(({ image }) => [image.name, image.tag] as const)]
  for (const [image, tag] of images) {
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
