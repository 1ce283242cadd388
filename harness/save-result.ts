/** A result in its folder: `result.json` first, then `report.html` that is rendered from it. */
import { rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { renderHtml } from './report/html.ts'
import type { Result } from './report/result.ts'

/** Each is written beside and renamed into place: nobody ever reads half of it. */
export async function saveResult(folder: string, result: Result): Promise<void> {
  await writeWhole(path.join(folder, 'result.json'), JSON.stringify(result, null, 2))
  await writeWhole(path.join(folder, 'report.html'), renderHtml(result))
}

async function writeWhole(file: string, content: string): Promise<void> {
  await writeFile(`${file}.partial`, content)
  await rename(`${file}.partial`, file)
}
