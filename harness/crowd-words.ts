/** How crowds are called in sentences, in checks as in the report. */
import type { Crowd } from './history.ts'

export const modeWords: Record<Crowd['mode'], string> = {
  'catch-up': 'catch-up',
  'catch-up-tail': 'catch-up at the tail',
  'long-poll': 'long-poll',
  sse: 'SSE',
}

/** The way of a crowd as the head of a column or the name of a curve. */
export const pathWords: Record<Crowd['path'], string> = {
  'edge-http1': 'cache, HTTP/1.1',
  'tls-h2': 'TLS and cache, h2',
  direct: 'without the cache',
}

/** The way of a crowd within a sentence. */
export const throughWords: Record<Crowd['path'], string> = {
  'edge-http1': 'through the cache over HTTP/1.1',
  'tls-h2': 'through TLS and the cache over h2',
  direct: 'without the cache',
}

/** A crowd's name: `crowd 1`, or what it was called (`late crowd`). */
export function crowdWords(generation: string): string {
  return /^\d+$/.test(generation) ? `crowd ${generation}` : `${generation} crowd`
}

/** `long-poll through TLS and the cache over h2, crowd 2`. */
export function crowdName({ mode, path, generation }: Pick<Crowd, 'mode' | 'path' | 'generation'>): string {
  return `${modeWords[mode]} ${throughWords[path]}, ${crowdWords(generation)}`
}
