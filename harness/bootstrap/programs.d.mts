/** The programs that run with flags of their own, for those who measure them. */
export declare const programs: Record<'simulate' | 'rejudge', { entry: string; flags: string[] }>
