/**
 * testcontainers' reaper, beside the supervisor: a container that removes a run's others when nobody is
 * connected to it any more. Where its image is, nothing survives until the next start even if harness and
 * supervisor are both killed.
 */
import { within } from '../until.ts'
import type { Engine } from './engine.ts'

const startMsMax = 30_000

/** What a container is marked with for it; nothing where it is not to be had. @throws what kept it from starting */
export async function reaperLabels({ docker, whole }: Pick<Engine, 'docker' | 'whole'>): Promise<Record<string, string>> {
  if (process.env['TESTCONTAINERS_RYUK_DISABLED'] === 'true') return {}
  // Loaded with the engine already.
  const { getReaper, LABEL_TESTCONTAINERS_SESSION_ID } = await import('testcontainers')
  const isThere = await docker.getImage(await reaperImage()).inspect().then(() => true, () => false)
  if (!isThere) return {}
  const { sessionId } = await within(getReaper(whole), { for: "testcontainers' reaper to start", timeoutMs: startMsMax })
  return { [LABEL_TESTCONTAINERS_SESSION_ID]: sessionId }
}

/** As testcontainers names it: RYUK_CONTAINER_IMAGE, or its own version. */
export async function reaperImage(): Promise<string> {
  const { getReaperImage } = await import('testcontainers/build/reaper/reaper.js')
  return getReaperImage()
}
