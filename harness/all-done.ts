/**
 * As `Promise.all`, but ends only when all have: behind one that failed none still starts programs or
 * writes files that nobody would wait for.
 */
export async function allDone<Tasks extends readonly unknown[]>(tasks: Tasks): Promise<{ -readonly [N in keyof Tasks]: Awaited<Tasks[N]> }> {
  await Promise.allSettled(tasks)
  return Promise.all(tasks) as Promise<{ -readonly [N in keyof Tasks]: Awaited<Tasks[N]> }>
}
