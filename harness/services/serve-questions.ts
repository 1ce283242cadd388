/** The other end of a dialogue: a program that is given a plan, listens, and answers until its input ends. */
import { createInterface } from 'node:readline'

export interface Served<Question, Answer> {
  /** Said once it listens, beside `ready`. */
  ready: object
  /** Rejected where it cannot listen, which is told as `failed` and ends the program. */
  listen(): Promise<unknown>
  answer(question: Question): Answer | Promise<Answer>
}

/** One line, as JSON. */
export function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}

/** Ends the process when its standard input does. The first line is the plan, each other one a question. */
export async function serveQuestions<Plan, Question, Answer extends object>(open: (plan: Plan) => Served<Question, Answer> | Promise<Served<Question, Answer>>): Promise<never> {
  let served: Served<Question, Answer> | undefined
  for await (const line of createInterface({ input: process.stdin })) {
    if (served === undefined) {
      served = await open(JSON.parse(line) as Plan)
      try {
        await served.listen()
      } catch (error) {
        say({ failed: String(error) })
        break
      }
      say({ ready: true, ...served.ready })
      continue
    }
    const { id, ...question } = JSON.parse(line) as { id: number }
    say({ id, ...(await served.answer(question as Question)) })
  }
  process.exit(0)
}
