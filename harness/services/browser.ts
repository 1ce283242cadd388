/** A browser without a window as a service: fresh, kept to loopback, driven by the DevTools protocol. */
import path from 'node:path'
import { searchPath } from '../confine/environment.ts'
import type { Service } from '../runtime/runtime.ts'

export interface BrowserOptions {
  id: string
  program: string
  port: number
  /** Home, profile and temporary files. */
  folder: string
  readyWithinMs: number
}

export function browserService({ id, program, port, folder, readyWithinMs }: BrowserOptions): Service {
  return {
    id,
    program,
    image: 'node',
    onHost: true,
    args: [...flags(folder), `--remote-debugging-port=${port}`, 'about:blank'],
    // The temporary folder is the working folder: the path of a socket in it must not be long.
    env: { PATH: searchPath(process.env), HOME: folder, TMPDIR: '.', XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder, LANG: 'C.UTF-8' },
    cwd: folder,
    ports: [port],
    ready: { kind: 'http', port, method: 'GET', path: '/json/version', statuses: [200] },
    readyWithinMs,
    stopSignal: 'SIGTERM',
    stopGraceMs: 5_000,
  }
}

function flags(folder: string): string[] {
  return [
    '--headless',
    // Its sandbox does not start for root.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    `--user-data-dir=${path.join(folder, 'profile')}`,
    // Every name is on loopback: those of the user's own that pages ask for, and all others.
    '--host-resolver-rules=MAP * 127.0.0.1',
    '--no-proxy-server',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-quic',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--no-default-browser-check',
  ]
}
