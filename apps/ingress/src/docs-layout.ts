import { escaped } from './xml-write.js';

export type Page = Readonly<{
  path: string;
  title: string;
  html: string;
  /** What follows the text in a style of its own. */
  below?: string;
}>;

/** One page: navigation, content, one style sheet. */
export function layout(page: Page, navigation: readonly Page[]): string {
  const links = navigation
    .map(({ path, title }) => {
      const here = page.path === path || (path !== '/docs' && page.path.startsWith(`${path}/`));
      return `<li><a href="${path}"${here ? ' aria-current="page"' : ''}>${escaped(title)}</a></li>`;
    })
    .join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(page.title)} · Replenish</title>
<link rel="stylesheet" href="/docs/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<header><a class="brand" href="/docs">Replenish</a></header>
<div class="frame">
<nav aria-label="Documentation"><ul>${links}</ul></nav>
<main>
<div class="text">
${page.html}
</div>
${page.below ?? ''}</main>
</div>
</body>
</html>
`;
}

/** Text with \`code\` between backquotes, as our schemas' descriptions have it. */
export const prose = (text: string): string => escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>');

export const code = (text: string): string =>
  `<pre tabindex="0"><code>${escaped(text).replaceAll('&#10;', '\n')}</code></pre>`;

/** Cells carry the heading of their column: on a narrow screen each stands below the other, without a head. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const labels = head.map((cell) => cell.replace(/<[^>]*>/g, ''));
  const cells = (row: readonly string[]) =>
    row.map((cell, nth) => `<td${labels[nth] && nth > 0 ? ` data-label="${labels[nth]}"` : ''}>${cell}</td>`);
  return `<div class="table"><table><thead><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr></thead><tbody>${rows
    .map((row) => `<tr>${cells(row).join('')}</tr>`)
    .join('')}</tbody></table></div>`;
}
