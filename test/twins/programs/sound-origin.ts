/**
 * An origin on which no scenario is red: the reference server, with everything mended that one finds
 * wrong with it, but for the one thing that $TWIN breaks; `sound` breaks nothing. Started with the same
 * argument as that one.
 */
import { once } from 'node:events'
import { serveAdmin, serveVariants } from './operator-twins.ts'
import { originArgument } from './planted.ts'
import { lockOrExit } from './sound/lock.ts'
import { SoundServer } from './sound/server.ts'

const { port, dataDir, variants, adminSocket, ...limits } = originArgument()
lockOrExit(dataDir)
const isBehindVariants = adminSocket !== null && variants.length > 0
const server = new SoundServer(dataDir, { host: '127.0.0.1', port: isBehindVariants ? 0 : port, ...limits })
const url = await server.start().catch((error: NodeJS.ErrnoException) => {
  console.error(error.code === 'EADDRINUSE' ? `The port ${port} is taken: stop who listens there, or give another one.` : error)
  process.exit(1)
})
if (adminSocket !== null && !isBehindVariants) serveAdmin(adminSocket, { variants })
const front = isBehindVariants ? await serveVariants({ port, upstreamPort: Number(new URL(url).port), adminSocket, variants }) : null
await once(process, 'SIGTERM')
await server.stop()
await front?.stop()
process.exit(0)
