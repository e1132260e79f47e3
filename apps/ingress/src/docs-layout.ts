import { escaped } from './xml-write.js';

export type Page = Readonly<{ path: string; title: string; html: string }>;

/** One page: navigation, content, one style sheet, no script. */
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
${page.html}
</main>
</div>
</body>
</html>
`;
}

/** Text with \`code\` between backquotes, as our schemas' descriptions have it. */
export const prose = (text: string): string => escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>');

export const code = (text: string): string =>
  `<pre tabindex="0"><code>${escaped(text).replaceAll('&#10;', '\n')}</code></pre>`;

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0
    ? ''
    : `<div class="table"><table><thead><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr></thead><tbody>${rows
        .map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
        .join('')}</tbody></table></div>`;
