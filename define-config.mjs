/**
 * What a `simulate.config.ts` imports, from wherever it lies. Plain JavaScript with its types beside it
 * (`define-config.d.mts`), so that any project's editor and compiler take it as it is.
 */

/** Returns the configuration as it was given; it is there for its types. */
export function defineConfig(config) {
  return config
}
