const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Escapes text for HTML content and for quoted attributes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => entities[char]!);

export type PageLink = Readonly<{ href: string; text: string }>;

/**
 * The icon: two arrows around a coin. It is a data URL, because a security policy may refuse a request for an image.
 */
export const favicon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b5cad"/><path d="M8 15a8 8 0 0 1 14-4l2 2m0-5v5h-5M24 17a8 8 0 0 1-14 4l-2-2m0 5v-5h5" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/></svg>',
)}`;

/** The elements that every page has in its head. */
export const pageHead = (title: string): string => `<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · Replenish</title>
<link rel="icon" href="${favicon}">`;

/** The header of every page: the product, the section, and links to the other pages. */
export function pageHeader(home: string, section: string, links: readonly PageLink[] = []): string {
  const items = links.map(({ href, text }) => `<a href="${escapeHtml(href)}">${escapeHtml(text)}</a>`);
  return `<header class="site"><a class="brand" href="${escapeHtml(home)}">Replenish <span>${escapeHtml(section)}</span></a>${
    items.length > 0 ? `<div class="places">${items.join('')}</div>` : ''
  }</header>`;
}

/** The styles of colours, type and header for all pages. */
export const pageLook = `:root {
  color-scheme: light dark;
  --ink: #1d2430;
  --soft: #566074;
  --paper: #ffffff;
  --raised: #f4f6f9;
  --line: #d9dee7;
  --link: #0b5cad;
  --mark: #b3261e;
  --good: #14703f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e3e7ee;
    --soft: #9aa5b8;
    --paper: #12161d;
    --raised: #1a2029;
    --line: #2d3643;
    --link: #7db8f2;
    --mark: #ff8a80;
    --good: #6fd19b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0;
  background: var(--paper);
  color: var(--ink);
  font: 16px / 1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", "PingFang SC",
    "Microsoft YaHei", sans-serif;
}
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.site {
  display: flex;
  flex-wrap: wrap;
  gap: 0.3rem 1.5rem;
  align-items: baseline;
  padding: 0.8rem 1.5rem;
  border-bottom: 1px solid var(--line);
}
.brand { color: var(--ink); font-weight: 700; text-decoration: none; }
.brand span { color: var(--soft); font-weight: 400; }
.places { display: flex; gap: 1.2rem; margin-left: auto; }
.places a { color: var(--soft); text-decoration: none; }
.places a:hover { color: var(--ink); text-decoration: underline; }
@media print { .site { display: none; } }
`;
