/** Reads an event stream of the protocol: data events, and the control event that belongs to them. */
export interface Control {
  streamNextOffset: string
  upToDate?: boolean
}

/** Gives the data with its control event; with null what had none when the stream ended. Throws when it is cut off. */
export async function readEvents(response: Response, take: (data: string, control: Control | null) => void): Promise<void> {
  let text = ''
  let data: string[] = []
  const decoder = new TextDecoder()
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk, { stream: true })
    const events = text.replaceAll('\r\n', '\n').split('\n\n')
    text = events.pop()!
    for (const event of events) {
      const lines = event.split('\n')
      const type = lines.find((line) => line.startsWith('event:'))?.slice('event:'.length).trim()
      const content = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice('data:'.length).replace(/^ /, '')).join('\n')
      if (type === 'data') data.push(content)
      if (type !== 'control') continue
      take(joined(data), JSON.parse(content) as Control)
      data = []
    }
  }
  if (data.length > 0) take(joined(data), null)
}

/** Events of a JSON stream hold an array each. */
function joined(data: string[]): string {
  if (data.length === 0 || !data[0]!.trimStart().startsWith('[')) return data.join('')
  return JSON.stringify(data.flatMap((one) => JSON.parse(one) as unknown[]))
}
