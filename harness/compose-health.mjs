/**
 * The health check of docker-compose.yml: `node compose-health.mjs http://127.0.0.1:4437 …` ends with
 * 0 when each of these answers a HEAD of a stream that does not exist with 404. Plain JavaScript,
 * because it is mounted alone.
 */
import http from 'node:http'
import https from 'node:https'

const answerMsMax = 4_000

function ask(address) {
  const { promise, resolve } = Promise.withResolvers()
  const { request } = address.startsWith('https:') ? https : http
  const options = {
    method: 'HEAD',
    headers: { host: 'localhost' },
    servername: 'localhost',
    // Whether the chain is right is not asked here; its CA is of this container's making.
    rejectUnauthorized: false,
    timeout: answerMsMax,
  }
  const asked = request(`${address}/v1/stream/is-it-healthy`, options, ({ statusCode }) => resolve(statusCode === 404 ? null : `it answered ${statusCode}`))
  asked.on('timeout', () => asked.destroy(new Error('no answer')))
  asked.on('error', (error) => resolve(error.message))
  asked.end()
  return promise
}

const problems = await Promise.all(
  process.argv.slice(2).map(async (address) => {
    const problem = await ask(address)
    return problem === null ? [] : [`${address}: ${problem}`]
  }),
)
console.log(problems.flat().join('\n') || 'all answer')
process.exit(problems.flat().length === 0 ? 0 : 1)
