/**
 * The headers that `@durable-streams/client` reads off answers and sends with requests, lower case,
 * by the version they were taken from. test/browser/client-headers.test.ts takes them again from the
 * installed client, so that this list is not behind it.
 */
export const clientHeaders = {
  version: '0.2.7',
  reads: [
    'cache-control',
    'content-type',
    'etag',
    'producer-epoch',
    'producer-expected-seq',
    'producer-received-seq',
    'retry-after',
    'stream-closed',
    'stream-cursor',
    'stream-next-offset',
    'stream-sse-data-encoding',
    'stream-up-to-date',
  ],
  sends: [
    'content-type',
    'producer-epoch',
    'producer-id',
    'producer-seq',
    'stream-closed',
    'stream-expires-at',
    'stream-seq',
    'stream-ttl',
  ],
} as const
