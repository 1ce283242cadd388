/** The little of autocannon that the benchmark uses; the package ships no types. */
declare module 'autocannon' {
  const autocannon: (options: Record<string, unknown>) => Promise<Record<string, unknown>> & { stop(): void }
  export default autocannon
}
