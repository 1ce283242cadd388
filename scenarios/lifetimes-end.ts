import { defineScenario } from '../harness/scenario.ts'
import { lifelines } from '../harness/steps/lifelines.ts'
import { refusedCreates } from '../harness/steps/refused-creates.ts'
import { during } from '../harness/steps/during.ts'
import {
  aliveUntilExpiry,
  expiredIsGone,
  liveReadersEnd,
  nothingIsTorn,
  refusedCreatesCreateNothing,
} from '../harness/checks.ts'

/** A lifetime of 2 s: looks before 2 s must find the stream, looks after 2 s and the bound must not. */
const idle = { ttlSeconds: 2 }
const fixed = { expiresInSeconds: 3 }

export default defineScenario({
  id: 'lifetimes-end',
  title: 'Streams end when their lifetime does, and reads and writes renew a TTL',
  why: 'Streams that outlive their TTL fill the disk and leak data; ones that end early lose it.',
  proves: ['lifecycle-expires'],
  timeoutMs: { quick: 60_000, full: 90_000 },
  world: { hops: ['origin', 'edge'], origin: { longPollTimeoutMs: 4_000, sseReconnectMs: 4_000 } },
  runs: 'beside-others',
  steps: [
    during(
      [
        lifelines({
          copies: { quick: 3, full: 30 },
          lines: [
            // Left alone: one look before the end and one after it, each on a stream of its own,
            // since a look renews.
            { name: 'expires-early-look', ...idle, looks: [{ atMs: 800, do: 'read', via: 'origin' }] },
            { name: 'expires-idle', ...idle, looks: [{ atMs: 3_400, do: 'read', via: 'origin' }] },
            { name: 'expires-idle-append', ...idle, looks: [{ atMs: 3_400, do: 'append', via: 'origin' }] },
            { name: 'expires-idle-long-poll', ...idle, looks: [{ atMs: 3_400, do: 'long-poll', via: 'origin' }] },
            { name: 'expires-idle-sse', ...idle, looks: [{ atMs: 3_400, do: 'sse', via: 'origin' }] },
            // The cache has seen the stream alive: it must not keep it alive.
            {
              name: 'expires-behind-edge',
              ...idle,
              looks: [
                { atMs: 300, do: 'read', via: 'edge' },
                { atMs: 600, do: 'read', via: 'edge' },
                { atMs: 5_200, do: 'read', via: 'edge' },
                { atMs: 5_300, do: 'long-poll', via: 'edge' },
                { atMs: 5_400, do: 'sse', via: 'edge' },
              ],
            },
            // An absolute end does not slide, whatever is done.
            {
              name: 'expires-at',
              ...fixed,
              looks: [
                { atMs: 1_000, do: 'read', via: 'origin' },
                { atMs: 1_600, do: 'append', via: 'origin' },
                { atMs: 2_200, do: 'read', via: 'edge' },
                { atMs: 4_400, do: 'read', via: 'origin' },
                { atMs: 5_600, do: 'read', via: 'edge' },
              ],
            },
            // Readers that are attached when it ends, by every way.
            {
              name: 'expires-attached',
              ...fixed,
              looks: [
                { atMs: 1_500, do: 'long-poll', via: 'origin' },
                { atMs: 1_500, do: 'long-poll', via: 'edge' },
                { atMs: 1_500, do: 'sse', via: 'origin' },
                { atMs: 1_500, do: 'sse', via: 'edge' },
                { atMs: 9_000, do: 'read', via: 'origin' },
                { atMs: 9_000, do: 'read', via: 'edge' },
              ],
            },
            // A poll is held beyond the stream's end: who comes after it must not be held with it. The cache
            // knows of the stream for longer than it believes anything without asking.
            {
              name: 'expires-with-readers-held',
              ...fixed,
              looks: [
                { atMs: 900, do: 'read', via: 'edge' },
                { atMs: 2_200, do: 'long-poll', via: 'edge' },
                { atMs: 2_200, do: 'sse', via: 'edge' },
                { atMs: 5_250, do: 'long-poll', via: 'edge' },
                { atMs: 5_250, do: 'sse', via: 'edge' },
              ],
            },
            // The path is used again: the old bytes are gone for good.
            {
              name: 'expires-recreated',
              ...idle,
              looks: [
                { atMs: 500, do: 'read', via: 'origin' },
                { atMs: 700, do: 'read', via: 'edge' },
                { atMs: 5_000, do: 'recreate', via: 'origin' },
                { atMs: 6_500, do: 'read', via: 'origin' },
                { atMs: 6_500, do: 'read', via: 'edge' },
              ],
            },
            {
              name: 'expires-recreated-through-edge',
              ...idle,
              looks: [
                { atMs: 700, do: 'read', via: 'edge' },
                { atMs: 5_000, do: 'recreate', via: 'edge' },
                { atMs: 5_300, do: 'read', via: 'edge' },
              ],
            },
          ],
        }),
        lifelines({
          copies: { quick: 3, full: 30 },
          lines: [
            {
              name: 'slides-by-read',
              ttlSeconds: 3,
              looks: [
                { atMs: 2_000, do: 'read', via: 'origin' },
                { atMs: 4_000, do: 'read', via: 'origin' },
                { atMs: 6_000, do: 'read', via: 'origin' },
                // Behind the expiry, the bound, and a look before that a busy machine answered a second late.
                { atMs: 11_400, do: 'read', via: 'origin' },
              ],
            },
            {
              name: 'slides-by-append',
              ttlSeconds: 3,
              looks: [
                { atMs: 2_000, do: 'append', via: 'origin' },
                { atMs: 4_000, do: 'append', via: 'origin' },
                { atMs: 6_000, do: 'read', via: 'origin' },
                // Behind the expiry, the bound, and a look before that a busy machine answered a second late.
                { atMs: 11_400, do: 'read', via: 'origin' },
              ],
            },
            {
              name: 'slides-by-long-poll',
              ttlSeconds: 5,
              looks: [
                { atMs: 3_000, do: 'long-poll', via: 'origin' },
                { atMs: 7_700, do: 'read', via: 'origin' },
              ],
            },
            // HEAD renews nothing: the stream ends as if nobody had asked.
            {
              name: 'slides-not-by-head',
              ttlSeconds: 3,
              looks: [
                { atMs: 1_000, do: 'head', via: 'origin' },
                { atMs: 2_000, do: 'head', via: 'origin' },
                { atMs: 5_400, do: 'read', via: 'origin' },
              ],
            },
          ],
        }),
      ],
      [
        refusedCreates([
          { name: 'both-lifetimes', headers: { 'stream-ttl': '60', 'stream-expires-at': '2099-01-01T00:00:00Z' } },
          { name: 'malformed-ttl-negative', headers: { 'stream-ttl': '-1' } },
          { name: 'malformed-ttl-plus', headers: { 'stream-ttl': '+60' } },
          { name: 'malformed-ttl-leading-zero', headers: { 'stream-ttl': '060' } },
          { name: 'malformed-ttl-decimal', headers: { 'stream-ttl': '60.0' } },
          { name: 'malformed-ttl-scientific', headers: { 'stream-ttl': '6e1' } },
          { name: 'malformed-ttl-word', headers: { 'stream-ttl': 'forever' } },
          { name: 'malformed-expires-word', headers: { 'stream-expires-at': 'tomorrow' } },
          { name: 'malformed-expires-month', headers: { 'stream-expires-at': '2099-13-01T00:00:00Z' } },
          { name: 'malformed-expires-seconds', headers: { 'stream-expires-at': '4070908800' } },
        ]),
      ],
    ),
  ],
  checks: [
    expiredIsGone({ group: 'expires', boundMs: 1_000, looksMin: 20 }, ['lifecycle-expires']),
    aliveUntilExpiry({ group: 'expires', looksMin: 6 }, ['lifecycle-expires']),
    liveReadersEnd({ boundMs: 1_000 }, ['lifecycle-expires']),
    nothingIsTorn({}, ['lifecycle-expires']),
    aliveUntilExpiry({ group: 'slides', looksMin: 15 }, ['lifecycle-sliding']),
    expiredIsGone({ group: 'slides', boundMs: 1_000, looksMin: 9 }, ['lifecycle-sliding']),
    refusedCreatesCreateNothing({ names: 'both' }, ['lifecycle-one']),
    refusedCreatesCreateNothing({ names: 'malformed' }, ['lifecycle-expires']),
  ],
})
