/** A limit of checks that leave some streams to others. */

export interface Excepting {
  /** Streams whose name begins so are judged by other checks; '' for none. */
  except: string
}

export function isExcepted({ except }: Excepting, stream: string): boolean {
  return except !== '' && stream.startsWith(except)
}
