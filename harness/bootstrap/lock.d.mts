/** See lock.mjs. */
export function withLock<T>(
  path: string,
  options: { waitMs: number; onWait?: () => void; signal?: AbortSignal },
  job: () => Promise<T>,
): Promise<T>
