/** The folders of a Caddy's storage that its certificates go into, made before it starts. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

/**
 * Makes the folder of each name's certificate by the internal CA, with a file in it. A Caddy that starts on
 * an empty storage makes such a folder and, beside that, removes folders that are empty: now and then it
 * removes its own, has no certificate, and tries again only after a minute.
 */
export async function keepCertificateFolders(storage: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const folder = path.join(storage, 'certificates', 'local', safe(name))
    await mkdir(folder, { recursive: true })
    await writeFile(path.join(folder, 'keep'), '')
  }
}

/** As certmagic names it: https://pkg.go.dev/github.com/caddyserver/certmagic#KeyBuilder.Safe */
function safe(name: string): string {
  return name.toLowerCase().trim().replaceAll('*', 'wildcard_').replaceAll(':', '-').replaceAll(/[^\w@.-]/g, '')
}
