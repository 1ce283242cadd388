import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderChanges } from '../../harness/confine/diff.ts'
import { isSecretName, redactJson, redactText } from '../../harness/confine/redact.ts'

const secret = fc.stringMatching(/^[A-Za-z0-9]{12,40}$/)

describe('redactText', () => {
  const wrapped: Record<string, (secret: string) => string> = {
    'a bearer token': (text) => `Authorization: Bearer ${text}`,
    'user information in a URL': (text) => `https://ops:${text}@db.corp.example/x`,
    'a token in a query': (text) => `see https://hooks.example/cb?id=1&token=${text}&x=2`,
    'a key in a query': (text) => `https://hooks.example/cb?api_key=${text}`,
    'a cookie': (text) => `Cookie: session=${text}; other=1`,
    'an assignment': (text) => `DB_PASSWORD=${text}`,
    'a header of an API': (text) => `X-Api-Key: ${text}`,
    'a bcrypt hash': (text) => `$2a$14$${text}${text}`,
    'a private key': (text) => `-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----`,
  }

  test.each(Object.entries(wrapped))('hides %s', (_name, wrap) => {
    fc.assert(fc.property(secret, (text) => !redactText(wrap(text)).includes(text)))
  })

  test('changes nothing more the second time', () => {
    const line = fc.oneof(fc.string(), ...Object.values(wrapped).map((wrap) => secret.map(wrap)))
    fc.assert(fc.property(line, (text) => redactText(redactText(text)) === redactText(text)))
  })

  test.each([
    '/var/lib/durable-streams',
    'https://streams.corp.example/v1/stream/a?offset=0000000000000000_0000000000000009',
    'unrecognized directive: durable_streamz',
    'apps.http.servers.srv0.routes[0].handle[0].upstreams[0].dial',
    'origin-1.corp.example:4437',
  ])('leaves %s as it is', (text) => {
    expect(redactText(text)).toBe(text)
  })
})

describe('redactJson', () => {
  test.each([
    'password',
    'api_key',
    'mac_key',
    'Authorization',
    'Set-Cookie',
    'X-Deploy-Token',
    'client_secret',
  ])('hides whatever lies under %s', (name) => {
    fc.assert(
      fc.property(secret, (text) => {
        const value = { a: [{ [name]: { deep: [text], number: 7_654_321 } }] }
        const shown = JSON.stringify(redactJson(value))
        return !shown.includes(text) && !shown.includes('7654321')
      }),
    )
  })

  test('knows names that only sound like secrets', () => {
    expect(
      ['key_type', 'basic_auth', 'issuers', 'keepalive', 'monkey'].filter(isSecretName),
    ).toEqual([])
  })
})

test('a diff shows no secret, even where a change carries one', () => {
  const change = {
    path: 'a.b',
    from: { token: 'hunter2hunter2' },
    to: 'Bearer abcdef123456',
    because: 'x',
  }
  const text = renderChanges('Caddyfile', [change])
  expect(text).toBe(
    '--- Caddyfile (yours)\n+++ Caddyfile (in the simulation)\n@@ a.b @@ x\n' +
      '-{"token":"[redacted]"}\n+Bearer [redacted]\n',
  )
  expect(renderChanges('Caddyfile', [])).toBe('')
})
