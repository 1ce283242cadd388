import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { caddyfileMutations } from '../../harness/mutants/caddyfile-mutations.ts'

const source = `{
	# [ops-graceful]
	grace_period 8s
	servers {
		protocols h1 h2 # both
	}
}

http://:80 {
	# [persistence-data-dir]
	route /a/* {
		respond 404
	}
}
`

test('mutations of a Caddyfile are directives with their blocks, last arguments, and durations', () => {
  const mutations = caddyfileMutations('Caddyfile', source)
  expect(mutations.map(({ id, rows }) => `${id} ${rows.join()}`)).toEqual([
    'Caddyfile:3:delete ops-graceful',
    'Caddyfile:3:8s-as-50ms ops-graceful',
    'Caddyfile:4:delete ops-graceful',
    'Caddyfile:5:delete ops-graceful',
    'Caddyfile:5:without-last ops-graceful',
    'Caddyfile:11:delete persistence-data-dir',
    'Caddyfile:12:delete persistence-data-dir',
  ])
  const text = (id: string) => mutations.find((mutation) => mutation.id === `Caddyfile:${id}`)!.text
  expect(text('4:delete')).toBe(source.replace(/servers \{[^}]*\}/, ''))
  expect(text('5:without-last')).toContain('\t\tprotocols h1  # both\n')
  expect(text('11:delete')).toContain('[persistence-data-dir]\n\t\n}')
})

test.each(['Caddyfile', 'tls-edge.Caddyfile'])('every directive of caddy/%s can be taken out', (name) => {
  const whole = readFileSync(path.resolve(import.meta.dirname, '../../caddy', name), 'utf8')
  const mutations = caddyfileMutations(name, whole)
  expect(mutations.length).toBeGreaterThan(10)
  expect(new Set(mutations.map((mutation) => mutation.text)).size).toBe(mutations.length)
  // Those that serve are judged by what they serve: only a directive that no check can see has no row.
  expect(mutations.filter((mutation) => mutation.rows.length === 0).map((mutation) => mutation.id)).toEqual([])
})
