import { escapeHtml } from '@replenish/runtime';
import { Marked } from 'marked';
import { type Content, type Heading, table } from './layout.js';
import { highlighted } from './samples.js';

/** The address of a link's target within the documentation. Null when the target is not part of it. */
export type Target = (href: string) => string | null;

/** The anchor of a heading, made as GitHub makes it. */
const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

/** Turns Markdown into HTML. A link to a target outside the documentation becomes plain text. */
export function openMarkdown(targetOf: Target): (text: string) => Content {
  let headings: Heading[] = [];
  const markdown = new Marked({
    renderer: {
      link({ href, text }) {
        const target = targetOf(href);
        return target ? `<a href="${escapeHtml(target)}">${escapeHtml(text)}</a>` : escapeHtml(text);
      },
      heading({ tokens, depth, text }) {
        const id = slug(text);
        if (depth === 2) headings.push({ id, text: text.replaceAll('`', '') });
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      table({ header, rows }) {
        const cells = (row: typeof header) => row.map(({ tokens }) => this.parser.parseInline(tokens));
        return table(cells(header), rows.map(cells));
      },
      code: ({ text, lang }) => `${highlighted(text, lang || 'plaintext')}\n`,
    },
  });
  return (text) => {
    headings = [];
    const html = markdown.parse(text, { async: false });
    return { html, headings };
  };
}
