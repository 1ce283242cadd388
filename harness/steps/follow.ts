/**
 * Live readers of every mode and by every way, each following a stream from its start to its end as
 * a correct client does: what an operator's routine must not disturb.
 */
import type { FollowMode, Via } from '../history.ts'
import { Follower } from '../load/follower.ts'
import type { KnownStream } from '../operations.ts'
import type { Interpreter, StepContext } from '../step.ts'
import { aborted, settlesWithin, until } from '../until.ts'

export interface Follow {
  kind: 'follow'
  /** Streams whose name begins with this. */
  streams: string
  modes: FollowMode[]
  via: Via[]
}

export interface AwaitReaders {
  kind: 'await-readers'
}

const everyMode: FollowMode[] = ['catch-up', 'long-poll', 'sse']

/**
 * One reader of each mode by each way on each stream; a load for `during`. When that ends they
 * finish: at the end of a closed stream, or at the tail of an open one, or after `drainMs`.
 */
export function follow(options: { streams: string; modes?: FollowMode[]; via?: Via[] }): Follow {
  return { kind: 'follow', modes: everyMode, via: ['origin', 'edge', 'tls'], ...options }
}

/** Waits until all readers of the `follow` step around it are attached; goes on without those that never are. */
export function awaitReaders(): AwaitReaders {
  return { kind: 'await-readers' }
}

const attachMs = 8_000
const drainMs = 10_000

export const followInterpreter: Interpreter<Follow> = async (step, context) => {
  const streams = [...context.streams.values()].filter((stream) => stream.name.startsWith(step.streams) && !stream.deleted)
  const followers = streams.flatMap((stream) =>
    step.via.filter((via) => context.world.reaches(via)).flatMap((via) => step.modes.map((mode, n) => followerOf(context, stream, via, mode, n))),
  )
  if (followers.length === 0) throw new Error(`follow: no stream begins with "${step.streams}"`)
  context.progress(`${followers.length} live readers`)
  await attached(followers, context)
  await aborted(context.stopping)
  await drain(followers, streams, context)
}

/** Every other one says that it can decompress, as browsers do. */
function followerOf(context: StepContext, stream: KnownStream, via: Via, mode: FollowMode, nth: number) {
  const compresses = (nth + via.length) % 2 === 0
  const follower = new Follower({
    reader: `${mode}-${via}-${stream.name}`,
    mode,
    via,
    stream: { ...stream },
    endpoint: context.world.endpoint(via),
    ...(compresses ? { acceptEncoding: 'gzip' as const } : {}),
    note: (event) => context.recorder.record(event),
    signal: context.signal,
  })
  return { follower, stream }
}

type Attached = ReturnType<typeof followerOf>

async function attached(followers: Attached[], context: StepContext): Promise<void> {
  const all = () => followers.every(({ follower }) => follower.isAttached || follower.isTurnedAway)
  await until(all, { for: 'all readers to attach', timeoutMs: attachMs, signal: AbortSignal.any([context.signal, context.stopping]) }).catch(() => {})
  const count = followers.filter(({ follower }) => follower.isAttached).length
  context.recorder.record({ kind: 'followers', attached: count, of: followers.length })
}

/** Nobody writes any more: each reader ends where its stream ends. */
async function drain(followers: Attached[], streams: KnownStream[], context: StepContext): Promise<void> {
  for (const stream of streams) {
    const outcome = await context.operations.head('follower', stream, 'origin')
    const tail = outcome.headers?.['stream-next-offset']
    if (tail === undefined || outcome.headers?.['stream-closed'] === 'true') continue
    for (const one of followers) if (one.stream === stream) one.follower.leaveAt(tail)
  }
  const coming = followers.filter(({ follower }) => !follower.isTurnedAway)
  await settlesWithin(Promise.all(coming.map(({ follower }) => follower.done)), drainMs)
  await Promise.all(followers.map(({ follower }) => follower.stop()))
}

export const awaitReadersInterpreter: Interpreter<AwaitReaders> = async (_step, context) => {
  await until(() => context.recorder.countOf('followers') > 0, { for: 'the live readers', timeoutMs: attachMs + 5_000, signal: context.signal }).catch(() => {})
}
