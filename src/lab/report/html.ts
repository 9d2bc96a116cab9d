/** Markup that is fit to be put into a page as it stands. Only {@link html} and {@link trusted} make it. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

export type HtmlValue = Html | string | number | readonly HtmlValue[];

/** A template for markup: whatever is put in is escaped, unless it is {@link Html} itself. Lists are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(
    parts.reduce((text, part, index) => text + (index === 0 ? '' : markupOf(values[index - 1]!)) + part, ''),
  );
}

/** Markup, styles or a script of our own, as it stands. Nothing that anybody typed may come in here. */
export function trusted(markup: string): Html {
  return new Html(markup);
}

/** A name that somebody chose: its writing direction stays its own. */
export function named(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

/** JSON for a script element: it can neither end the element nor open a comment. */
export function jsonForScript(value: unknown): Html {
  return new Html(JSON.stringify(value).replaceAll('<', '\\u003c'));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function markupOf(value: HtmlValue): string {
  if (value instanceof Html) return value.markup;
  if (typeof value === 'object') return value.map(markupOf).join('');
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
