/**
 * The fault proxy, a program of its own: doors for clients in front of the TLS edge, and an HTTP hop
 * between TLS edge and cache. Each fault strikes where a deployment would meet it: connections and
 * certificates at the door, statuses and cut bodies behind the TLS edge, which passes them on.
 *
 *   node fault-proxy.ts      first line on stdin: a FaultProxyPlan
 *
 * It says {"ready": true, "caPem"} once, or {"failed": "…"}; then it answers questions by their id, and
 * tells each observation as a line without one. It ends when its standard input does.
 */
import { Armory } from './armory.ts'
import { wrongCertificates, type WrongCertificates } from './certificates.ts'
import { Door } from './door.ts'
import { isDoorFault, type FaultProxyAnswer, type FaultProxyPlan, type FaultProxyQuestion } from './faults.ts'
import { HttpHop } from './http-hop.ts'
import { say, serveQuestions } from '../serve-questions.ts'

class FaultProxy {
  #plan: FaultProxyPlan
  #armory = new Armory()
  #certificates: WrongCertificates
  #hop: HttpHop
  #doors = new Map<string, Door>()

  constructor(plan: FaultProxyPlan, certificates: WrongCertificates) {
    this.#plan = plan
    this.#certificates = certificates
    this.#hop = new HttpHop(this.#armory, plan.upstreamPort, say)
  }

  listen(): Promise<void> {
    return this.#hop.listen(this.#plan.httpPort)
  }

  async answer(question: FaultProxyQuestion): Promise<FaultProxyAnswer> {
    const { client } = question
    switch (question.ask) {
      case 'door': {
        const around = { tlsPort: this.#plan.tlsPort, armory: this.#armory, certificates: this.#certificates, tell: say }
        const door = new Door(client, around)
        this.#doors.set(client, door)
        return { port: await door.listen() }
      }
      case 'arm':
        this.#armory.arm(client, question.armed)
        if (isDoorFault(question.armed.fault)) this.#doors.get(client)?.armed(question.armed.fault)
        return { armed: true }
      case 'disarm':
        return { struck: this.#armory.disarm(client) }
      case 'end-answers':
        return { ended: this.#hop.endAnswers(client) }
    }
  }
}

if (import.meta.main) {
  await serveQuestions(async (plan: FaultProxyPlan) => {
    const certificates = await wrongCertificates(plan.servername)
    const proxy = new FaultProxy(plan, certificates)
    return { ready: { caPem: certificates.caPem }, listen: () => proxy.listen(), answer: (question: FaultProxyQuestion) => proxy.answer(question) }
  })
}
