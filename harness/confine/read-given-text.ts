/** The text of a configuration that the user gave. */
import { readFile } from 'node:fs/promises'
import { UsageError } from '../errors.ts'

/** `word` says what it is: 'VCL', 'nginx.conf'. @throws UsageError for a file that cannot be read */
export async function readGivenText(word: string, file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The ${word} ${file} cannot be read (${error.code}); give the path of a readable file.`)
  })
}
