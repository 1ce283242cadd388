/** The package.json files that the source belongs to. Pure. */
export interface PackageFile {
  /** As the user would name it. */
  file: string
  /** Its folder, with a slash behind; empty for where the command runs. */
  folder: string
  dependencies: string[]
  devDependencies: string[]
  /** Where a dependency is listed. */
  placeOf: (dependency: string) => { line: number; column: number }
}

/** The nearest above the file. */
export function packageOf(file: string, packages: readonly PackageFile[]): PackageFile | undefined {
  return packages.filter(({ folder }) => file.startsWith(folder)).toSorted((a, b) => b.folder.length - a.folder.length)[0]
}

/** Null for what is no package.json. */
export function readPackage(file: string, text: string): PackageFile | null {
  try {
    const json = JSON.parse(text) as Record<string, unknown> | null
    const namesOf = (key: string) => Object.keys((json?.[key] as object | undefined) ?? {})
    return {
      file,
      folder: file.slice(0, file.length - 'package.json'.length),
      dependencies: [...namesOf('dependencies'), ...namesOf('optionalDependencies')],
      devDependencies: namesOf('devDependencies'),
      placeOf: (dependency) => placeIn(text, `"${dependency}"`),
    }
  } catch {
    return null
  }
}

function placeIn(text: string, words: string): { line: number; column: number } {
  const before = text.slice(0, Math.max(0, text.indexOf(words)))
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') }
}
