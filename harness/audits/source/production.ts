/** Which of the user's files run in production: not tests, and not what only starts things for development. Pure. */
import type { Project } from './project.ts'

export type Role = 'production' | 'test' | 'development'

const testFolders = new Set(['test', 'tests', '__tests__', '__mocks__', '__fixtures__', 'fixtures', 'e2e', 'spec', 'specs', 'cypress', 'playwright', 'testing', 'test-utils', 'test-helpers'])
const testNames = /[._](test|spec|e2e|cy|stories|bench)\.[cm]?[jt]sx?$|(^|[._-])smoke\b|^(vitest|jest|playwright|cypress|mocha|karma|setup-?tests?|test-?setup|global-?setup)\b/i
const developmentFolders = new Set(['dev', 'development'])
const developmentNames = /(^|[._-])dev([._-]|$)|\.config\.[cm]?[jt]s$/i
const testPackages = new Set(['vitest', 'jest', '@jest/globals', 'mocha', 'ava', 'tap', 'uvu', 'node:test', 'bun:test', '@playwright/test', 'cypress', '@effect/vitest'])

/** Told by where the file stands and what it imports. */
export function roleOf(project: Project, file: string): Role {
  const source = project.texts.get(file)
  if (!source) return 'production'
  const parts = source.inPackage.split('/')
  const name = parts.pop()!
  const requests = project.file(file)?.syntax.requests ?? []
  if (testNames.test(name) || parts.some((part) => testFolders.has(part.toLowerCase()))) return 'test'
  if (requests.some((request) => testPackages.has(request) || ['@testing-library/', '@std/testing', 'jsr:@std/testing', 'jsr:@std/assert'].some((start) => request.startsWith(start)))) return 'test'
  if (developmentNames.test(name) || parts.some((part) => developmentFolders.has(part.toLowerCase()))) return 'development'
  return 'production'
}
