/**
 * Planted twins: programs that stand in for a hop, broken on purpose, so that each check can be seen
 * to fail. Only the tests of the checks plant them; a run with one says so and is never `ready`.
 */
/** Each names a program to start instead of the hop's own, with the same arguments. */
const variables = { origin: 'DURABLE_STREAMS_TWIN_ORIGIN', tls: 'DURABLE_STREAMS_TWIN_TLS', tap: 'DURABLE_STREAMS_TWIN_TAP', client: 'DURABLE_STREAMS_TWIN_CLIENT' } as const

/** The client and the harness's own tap are no hops, but stand on the way and can be broken like one. */
export type TwinHop = keyof typeof variables

export interface Twin {
  hop: TwinHop
  program: string
}

/** The program planted for this hop, if there is one. */
export function twinProgram(hop: TwinHop): string | undefined {
  return process.env[variables[hop]]
}

/**
 * The pool of file handles that the planted origin says it has; null where it says nothing. The
 * reference server has one too, but lets nobody set it.
 */
export function twinFileHandles(): number | null {
  const declared = process.env.DURABLE_STREAMS_TWIN_FILE_HANDLES
  return declared === undefined || twinProgram('origin') === undefined ? null : Number(declared)
}

/**
 * Variants that the planted origin says it has, and that it can be reloaded; null where it says
 * nothing. The reference server has none.
 */
export function twinVariants(): readonly string[] | null {
  const declared = process.env.DURABLE_STREAMS_TWIN_VARIANTS
  return declared === undefined || twinProgram('origin') === undefined ? null : declared.split(',')
}

/**
 * Whether many runs with a twin are made at once, as the tests of the checks do. They look for what turns red;
 * that the machine is busy is their own doing, and excuses nothing.
 */
export function isSideBySide(): boolean {
  return process.env.DURABLE_STREAMS_TWIN_SIDE_BY_SIDE === '1'
}

/** What is passed on to a twin: which behaviour it breaks. */
export function twinEnvironment(): Record<string, string> {
  return { TWIN: process.env.TWIN ?? '' }
}

/** All programs that are planted, and for which hop. */
export function plantedTwins(): Twin[] {
  return (Object.keys(variables) as TwinHop[]).flatMap((hop) => {
    const program = twinProgram(hop)
    return program === undefined ? [] : [{ hop, program }]
  })
}
