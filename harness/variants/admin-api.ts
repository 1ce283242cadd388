import type { Variant } from './variant.ts'

/** Caddy's admin API, on a socket that only the run can reach. */
export const adminApi: Variant = {
  id: 'admin-api',
  words: 'with the admin API',
  change: (config, { adminSocket }) => ({ ...config, admin: { listen: `unix/${adminSocket}`, origins: ['localhost'], config: { persist: false } } }),
  trace: { kind: 'admin' },
}
