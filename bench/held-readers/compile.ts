/** Compiles the benchmarks' C programs on the machine they run on. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export interface Compiled extends AsyncDisposable {
  holdingServer: string
  epollClient: string
}

/** Undefined where there is no C compiler; one that fails on our sources throws. */
export async function compilePrograms(): Promise<Compiled | undefined> {
  const compiler = await findCompiler()
  if (!compiler) return undefined
  const folder = await mkdtemp(path.join(tmpdir(), 'held-readers-'))
  const compile = async (name: string) => {
    const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url))
    const program = path.join(folder, name)
    await promisify(execFile)(compiler, ['-O2', '-o', program, source])
    return program
  }
  return {
    holdingServer: await compile('holding-server'),
    epollClient: await compile('epoll-client'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

async function findCompiler(): Promise<string | undefined> {
  for (const candidate of [process.env.CC, 'cc', 'gcc', 'clang', 'tcc']) {
    if (!candidate) continue
    const works = await promisify(execFile)(candidate, ['--version']).then(
      () => true,
      () => false,
    )
    if (works) return candidate
  }
  return undefined
}
