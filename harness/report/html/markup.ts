/**
 * HTML as values: whatever is interpolated is escaped and made harmless, unless it is markup
 * already. The page has no other way to come into being.
 */
import { html as escaping, raw } from 'hono/html'
import { neutralise } from '../neutralise.ts'

/** Escaped text; it can be interpolated anywhere in `html`. */
export type Markup = ReturnType<typeof raw>
export type Content = Markup | string | number | false | null | undefined | readonly Content[]

export function html(strings: TemplateStringsArray, ...values: Content[]): Markup {
  const markup = escaping(strings, ...values.map(harmless))
  if (markup instanceof Promise) throw new Error('Markup is never asynchronous')
  return markup
}

function harmless(value: Content): unknown {
  if (Array.isArray(value)) return value.map(harmless)
  if (typeof value === 'string' && !isMarkup(value)) return neutralise(value)
  return value ?? ''
}

function isMarkup(value: unknown): value is Markup {
  return typeof value === 'object' || (value as { isEscaped?: boolean }).isEscaped === true
}

/** Text of our own that must not be escaped: the style sheet. Never anything from a result. */
export function trusted(text: string): Markup {
  return raw(text)
}

/** Text in which `backticks` mark code. */
export function prose(text: string): Markup {
  const parts = text.split('`')
  return html`${parts.map((part, index) =>
    index % 2 === 1 && index < parts.length - 1 ? html`<code>${part}</code>` : part,
  )}`
}
