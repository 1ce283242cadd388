/** A configuration reload through the admin API. */
import { isDeepStrictEqual } from 'node:util'
import { configInForce, loadConfig } from './caddy-admin.ts'
import type { RoutineOutcome } from '../world.ts'

/** Gives a running Caddy this configuration, and looks whether it is in force then. */
export async function reloadCaddy(socket: string, config: unknown, options: { force?: boolean } = {}): Promise<RoutineOutcome> {
  let answer
  try {
    answer = await loadConfig(socket, config, options)
  } catch (error) {
    return { proven: false, proof: `the admin API did not answer (${(error as Error).message})` }
  }
  if (answer.status !== 200) return { proven: false, proof: '', refused: `${answer.status}: ${errorIn(answer.text)}` }
  const inForce = await configInForce(socket)
  const isInForce = isDeepStrictEqual(JSON.parse(inForce.text), JSON.parse(JSON.stringify(config)))
  return isInForce
    ? { proven: true, proof: 'the admin API took the configuration and says that it is in force' }
    : { proven: false, proof: 'the admin API answered 200, but another configuration is in force' }
}

/** `{"error":"…"}`, else the text as it is. */
function errorIn(text: string): string {
  try {
    return String((JSON.parse(text) as { error?: string }).error ?? text)
  } catch {
    return text.slice(0, 500)
  }
}
