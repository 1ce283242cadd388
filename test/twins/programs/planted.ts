/** How a planted program is started: what it breaks, and what the program that it stands in for would be told. */
import type { OriginArgument } from '../../../harness/services/reference-origin.ts'

export const twin = process.env.TWIN ?? ''

export function originArgument(): OriginArgument {
  return JSON.parse(process.argv[2]!) as OriginArgument
}
