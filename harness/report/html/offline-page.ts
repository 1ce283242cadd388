/** The frame of every page: one file, no script, no request, and no rules but its own. */
import { createHash } from 'node:crypto'
import { html, trusted, type Content, type Markup } from './markup.ts'

/** `sheet`: all of its rules. */
export function offlinePage(title: string, sheet: string, body: Content): Markup {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policyFor(sheet)}">
<title>${title}</title>
<style>${trusted(sheet)}</style>
</head>
<body>
${body}
</body>
</html>
`
}

function policyFor(sheet: string): string {
  return [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(sheet).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}
