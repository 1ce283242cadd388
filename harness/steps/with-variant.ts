/** A variant of the origin, judged by the generic suite. It consists of other steps. */
import type { Via } from '../history.ts'
import type { Step } from '../steps.ts'
import { withClientsAtWork } from './clients-at-work.ts'
import { look } from './look.ts'
import { passages } from './passages.ts'
import { seeVariants } from './routines.ts'
import { schedule } from './schedule.ts'
import { start, stop } from './start-stop.ts'

const everyWay: Via[] = ['origin', 'edge', 'tls']
const eventsEach = 4
const scheduledPrefix = 'scheduled'
/** What begins so is written and read by schedule: checks of what clients at work write leave it out. */
export const scheduledStreams = `${scheduledPrefix}-`

/**
 * Looks at the plain origin, starts it anew with the variant, looks again, and lets clients work on
 * it, and writers and readers by schedule on further paths; `more` happens meanwhile. In the end events
 * pass every hop, each before the next is written.
 */
export function withVariant(variant: string, more: Step[] = []): Step[] {
  return [
    look('plain'),
    stop('origin'),
    start('origin', { settings: { variants: [variant] }, label: variant }),
    look(variant),
    ...withClientsAtWork([...more, seeVariants(variant)], { beside: [scheduledBeside()] }),
    look('afterwards'),
    passages({ via: everyWay, mode: 'long-poll', events: eventsEach }),
    passages({ via: everyWay, mode: 'sse', events: eventsEach }),
  ]
}

/** Writers and readers by schedule, for as long as the steps beside them go on. */
export function scheduledBeside(): Step {
  return schedule({ paths: 4, atOnce: 4, endless: true, prefix: scheduledPrefix })
}
