import { type Html, type HtmlValue, html, named, trusted } from './html.ts';
import type { ReportRun } from './report.ts';

/** A policy's name, and whether it knows what nobody can know. */
export function policyName({ policy, clairvoyant }: ReportRun): Html {
  return clairvoyant ? html`${named(policy)} <span class="tag">knows true durations</span>` : named(policy);
}

/** How a policy's curve is drawn. */
export function curveKey(index: number): Html {
  return trusted(
    `<svg class="key curve curve-${index}" width="28" height="8" aria-hidden="true"><path d="M0 4H28"/></svg>`,
  );
}

/** A table in a frame that scrolls by keyboard where the page is too narrow. */
export function table(caption: string, columns: readonly HtmlValue[], rows: readonly Html[]): Html {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption class="unseen">${caption}</caption>
<thead><tr>${columns}</tr></thead>
<tbody>
${rows}</tbody>
</table></div>
`;
}

/** A heading of a column. */
export function head(content: HtmlValue, figures = false): Html {
  return html`<th scope="col"${trusted(figures ? ' class="figure"' : '')}>${content}</th>`;
}
