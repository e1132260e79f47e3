import { escapeHtml, type PageLink, pageHead, pageHeader } from '@replenish/runtime';

export type Page = Readonly<{
  path: string;
  title: string;
  /** Makes the content. Called at the first request for the page, so that an unused documentation costs nothing. */
  content: () => Content;
  /** Language tag (BCP 47). Default: English. */
  language?: string | undefined;
  /** Whether the page loads the script that sends calls to the API. */
  sendsCalls?: boolean;
}>;

/** `headings` become the table of contents. */
export type Content = Readonly<{ html: string; headings?: readonly Heading[] }>;
export type Heading = Readonly<{ id: string; text: string }>;
export type Group = Readonly<{ title: string; pages: readonly Page[] }>;

/** The data that all pages share. */
export type Site = Readonly<{
  groups: readonly Group[];
  version: string;
  /** Links to the dashboard and the sandbox. Empty in production. */
  places: readonly PageLink[];
}>;

/**
 * The HTML of a page: header, navigation, table of contents, content, and links to the previous and the next page.
 */
export function layout(page: Page, { groups, version, places }: Site): string {
  const { html, headings = [] } = page.content();
  return `<!doctype html>
<html lang="${page.language ?? 'en'}">
<head>
${pageHead(page.title)}
<link rel="stylesheet" href="/docs/style.css">
<script src="/docs/page.js" defer></script>
${page.sendsCalls ? '<script src="/docs/try.js" defer></script>\n' : ''}</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
${pageHeader('/docs', 'docs', [...places, { href: '/docs/reference', text: 'API reference' }])}
<div class="frame">
${navigation(page, groups)}
<main id="content" tabindex="-1">
${contents(headings)}<div class="text">
${html}
</div>
${neighbours(page, groups)}<footer>Replenish ${escapeHtml(version)}. <a href="/docs/changelog">Changelog</a></footer>
</main>
</div>
</body>
</html>
`;
}

function navigation(page: Page, groups: readonly Group[]): string {
  const link = ({ path, title, language }: Page): string => {
    const isHere = page.path === path || (path !== '/docs' && page.path.startsWith(`${path}/`));
    const tongue = language ? ` lang="${language}"` : '';
    return `<li><a href="${path}"${tongue}${isHere ? ' aria-current="page"' : ''}>${escapeHtml(title)}</a></li>`;
  };
  const lists = groups.map(
    ({ title, pages }) => `<p>${escapeHtml(title)}</p><ul>${pages.map(link).join('')}</ul>`,
  );
  return `<nav class="pages" aria-label="Documentation">${lists.join('')}</nav>`;
}

// A page with fewer headings needs no table of contents.
const HEADINGS_MIN = 3;

function contents(headings: readonly Heading[]): string {
  if (headings.length < HEADINGS_MIN) return '';
  const items = headings.map(({ id, text }) => `<li><a href="#${id}">${escapeHtml(text)}</a></li>`);
  return `<nav class="contents" aria-label="On this page"><p>On this page</p><ul>${items.join('')}</ul></nav>\n`;
}

function neighbours(page: Page, groups: readonly Group[]): string {
  const pages = groups.flatMap((group) => group.pages);
  const at = pages.findIndex(({ path }) => path === page.path);
  const link = (target: Page | undefined, rel: string, words: string): string =>
    target
      ? `<a rel="${rel}" href="${target.path}"><span>${words}</span>${escapeHtml(target.title)}</a>`
      : '';
  if (at < 0) return '';
  const links = `${link(pages[at - 1], 'prev', 'Previous')}${link(pages[at + 1], 'next', 'Next')}`;
  return `<nav class="neighbours" aria-label="Previous and next page">${links}</nav>\n`;
}

/** Escapes the text and turns `code` in backquotes into an element, as in the descriptions of our schemas. */
export const prose = (text: string): string => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');

export const code = (text: string): string => `<pre tabindex="0"><code>${escapeHtml(text)}</code></pre>`;

/**
 * Each cell carries the heading of its column, because a narrow screen shows cells below each other and no head row.
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const labels = head.map((cell) => cell.replace(/<[^>]*>/g, ''));
  const cells = (row: readonly string[]) =>
    row.map((cell, nth) => `<td${labels[nth] && nth > 0 ? ` data-label="${labels[nth]}"` : ''}>${cell}</td>`);
  return `<div class="table"><table><thead><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr></thead><tbody>${rows
    .map((row) => `<tr>${cells(row).join('')}</tr>`)
    .join('')}</tbody></table></div>`;
}
