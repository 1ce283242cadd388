import { expect, test } from 'vitest'
import { nginxMutations } from '../../../harness/edges/nginx/nginx-mutations.ts'

const source = `events { worker_connections 10; }
http {
    # [cdn-urls]
    map $a $b {
        default 1;
    }
    server {
        listen 80;
        # [cdn-collapse]
        location / { proxy_pass http://a; proxy_cache_lock_age 40s; }
    }
}
`

test('mutations of an nginx configuration are directives, blocks of them, and durations', () => {
  const mutations = nginxMutations('a.conf', source)
  expect(mutations.map(({ id, rows }) => `${id} ${rows.join()}`)).toEqual([
    'a.conf:1:delete ',
    'a.conf:4:delete cdn-urls',
    'a.conf:5:delete cdn-urls',
    'a.conf:8:delete cdn-urls',
    'a.conf:10:delete cdn-collapse',
    'a.conf:10:delete#2 cdn-collapse',
    'a.conf:10:40s-as-50ms cdn-collapse',
  ])
  expect(mutations[1]!.text).toBe(source.replace(/map[^}]*\}/, ''))
  expect(mutations[6]!.text).toBe(source.replace('40s', '50ms'))
})
