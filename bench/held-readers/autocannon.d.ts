/** The little of autocannon that is used here; it brings no types of its own. */
declare module 'autocannon' {
  export default function autocannon(options: {
    url: string
    connections: number
    amount: number
    timeout: number
  }): Promise<{ '2xx': number }>
}
