/** Markdown without its fenced blocks and code spans (CommonMark: ended by a run of just as many backticks). */
export function outsideOfCode(markdown: string): string {
  return markdown.replace(/^(`{3,})\w*\n[^]*?\n\1$/gm, '').replace(/(?<![`\\])(`+)(?!`)(.*?)(?<!`)\1(?!`)/g, '')
}
