import { constants } from 'node:os'
import { exitFault, Stop } from './stop.mjs'

/** Copies of one keystroke arrive together; one that comes later is a person insisting. */
const sameKeystrokeMs = 1_000
const npmPollMs = 500

/** Passes signals on to whichever program runs at the moment. */
export function relaySignals() {
  const controller = new AbortController()
  let child
  let firstSignal
  let lastAt = -Infinity
  const receive = (signal) => {
    if (performance.now() - lastAt < sameKeystrokeMs) return
    lastAt = performance.now()
    firstSignal ??= signal
    child?.kill(signal)
    controller.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => receive(signal))
  watchNpm(receive)
  return {
    aborted: controller.signal,
    stopIfInterrupted() {
      if (firstSignal) throw new Stop(codeOf(firstSignal), 'Interrupted.')
    },
    /** Resolves with the program's exit code once `event` ('exit' or 'close') says it ended. */
    async untilEnd(program, event) {
      child = program
      if (firstSignal) child.kill(firstSignal)
      try {
        return await ended(program, event)
      } finally {
        child = undefined
      }
    },
  }
}

function ended(child, event) {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      if (child.pid !== undefined) return // A signal that could not be sent; it still runs.
      const because = error.code === 'ENOENT' ? 'is not installed' : `cannot start (${error.code})`
      reject(new Stop(exitFault, `${child.spawnfile} ${because}; it is needed to go on.`))
    })
    child.on(event, (code, signal) => {
      if (child.pid !== undefined) resolve(code ?? codeOf(signal))
    })
  })
}

function codeOf(signal) {
  return 128 + constants.signals[signal]
}

/** When npm is killed outright nobody tells us, and the run would go on unseen. */
function watchNpm(receive) {
  if (!process.env.npm_lifecycle_event) return
  const npm = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === npm) return
    clearInterval(timer)
    receive('SIGTERM')
  }, npmPollMs)
  timer.unref()
}
