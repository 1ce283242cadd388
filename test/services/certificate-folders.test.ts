/** A folder made beforehand is not taken for an empty one by a Caddy that tidies up its storage as it starts. */
import { existsSync, mkdirSync } from 'node:fs'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { keepCertificateFolders } from '../../harness/services/certificate-folders.ts'
import { until } from '../../harness/until.ts'
import { findProgram, sayNotTested } from '../confine/programs.ts'

const caddy = process.env['DURABLE_STREAMS_SERVER_BIN'] ?? findProgram('caddy')
if (caddy === null) sayNotTested("certificates' folders", 'there is no Caddy')

test.skipIf(caddy === null)('Caddy removes an empty folder of certificates as it starts, and not one of these', { timeout: 30_000 }, async () => {
  await using folder = await mkdtempDisposable(path.join(tmpdir(), 'certificate-folders-'))
  const below = (name: string) => path.join(folder.path, 'certificates', 'local', name)
  mkdirSync(below('empty'), { recursive: true })
  await keepCertificateFolders(folder.path, ['localhost', '*.Example.com'])
  const config = { admin: { disabled: true }, storage: { module: 'file_system', root: folder.path }, apps: { tls: { automation: { policies: [{ issuers: [{ module: 'internal' }] }] } } } }
  const running = execa(caddy!, ['run', '--config', '-'], { input: JSON.stringify(config), reject: false, env: { HOME: folder.path, XDG_DATA_HOME: folder.path, XDG_CONFIG_HOME: folder.path } })
  try {
    await until(() => !existsSync(below('empty')), { for: 'the empty folder to be removed', timeoutMs: 20_000 })
    expect([existsSync(below('localhost')), existsSync(below('wildcard_.example.com'))]).toEqual([true, true])
  } finally {
    running.kill('SIGKILL')
    await running
  }
})
