import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Marked } from 'marked';
import { errorPages } from './docs-errors.js';
import { type Page, prose, table } from './docs-layout.js';
import { escaped } from './xml-write.js';

const assets = join(import.meta.dirname, '../assets');
const projectDocs = join(import.meta.dirname, '../../../docs');

const fromAssets = (name: string): string => readFileSync(join(assets, name), 'utf8');

export const styleSheet = fromAssets('style.css');

type Pages = Readonly<{ navigation: readonly Page[]; pages: readonly Page[] }>;

/** Pages in the order of the navigation, then the errors' own pages. Those of the project are left out where absent. */
export function openPages(publicUrl: string, reference: Page): Pages {
  const own = (path: string, title: string, file: string) =>
    markdownPage(path, title, fromAssets(file).replaceAll('PUBLIC_URL', publicUrl));
  const navigation: readonly Page[] = [
    own('/docs', 'Quick start', 'quick-start.md'),
    ...projectPage(publicUrl, '/docs/authentication', 'Authentication', 'authentication.md'),
    own('/docs/idempotency', 'Idempotency', 'idempotency.md'),
    own('/docs/states', 'States', 'states.md'),
    { path: '/docs/errors', title: 'Errors', html: errorList() },
    own('/docs/webhooks', 'Webhooks', 'webhooks.md'),
    ...projectPage(publicUrl, '/docs/sandbox', 'Sandbox', 'sandbox.md'),
    reference,
    own('/docs/changelog', 'Changelog', 'changelog.md'),
  ];
  return { navigation, pages: [...navigation, ...[...errorPages.keys()].map(errorPage)] };
}

/** Written for readers of the repository, whose ingress is the local one. */
function projectPage(publicUrl: string, path: string, title: string, file: string): Page[] {
  const source = join(projectDocs, file);
  if (!existsSync(source)) return [];
  const text = readFileSync(source, 'utf8').replaceAll('http://127.0.0.1:8080', publicUrl);
  return [markdownPage(path, title, text)];
}

const ofProject = ['authentication', 'sandbox'];
const absent = new Set(ofProject.filter((name) => !existsSync(join(projectDocs, `${name}.md`))));

/** Where a link of a Markdown file leads on these pages; null where it would lead off them. */
function targetOf(href: string): string | null {
  const file = /^(?:docs\/)?([\w-]+)\.md(#.*)?$/.exec(href);
  if (file) return ofProject.includes(file[1]!) ? targetOf(`/docs/${file[1]}${file[2] ?? ''}`) : null;
  const page = /^\/docs\/([\w-]+)/.exec(href)?.[1];
  return /^[/#](?!\/)/.test(href) && !absent.has(page ?? '') ? href : null;
}

/** The anchor of a heading, as Markdown's readers are used to it. */
const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

const markdown = new Marked({
  renderer: {
    link({ href, text }) {
      const target = targetOf(href);
      return target ? `<a href="${escaped(target)}">${escaped(text)}</a>` : escaped(text);
    },
    heading({ tokens, depth, text }) {
      return `<h${depth} id="${slug(text)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
    },
    table({ header, rows }) {
      const cells = (row: typeof header) => row.map(({ tokens }) => this.parser.parseInline(tokens));
      return table(cells(header), rows.map(cells));
    },
    code: ({ text }) => `<pre tabindex="0"><code>${escaped(text).replaceAll('&#10;', '\n')}</code></pre>\n`,
  },
});

function markdownPage(path: string, title: string, text: string): Page {
  const html = markdown.parse(text, { async: false });
  return { path, title, html: html.replace('<p>STATES_DIAGRAM</p>', () => fromAssets('states.svg')) };
}

function errorList(): string {
  const rows = [...errorPages].map(([code, { status, title }]) => [
    `<a href="/docs/errors/${code}">${code}</a>`,
    status,
    title,
  ]);
  return `<h1>Errors</h1>
<p>Errors are <code>application/problem+json</code> (RFC 9457), or <code>application/problem+xml</code> when the
request asks for XML. Programs read <code>code</code>; the set is closed and stable. <code>detail</code> is for people and may change.
Quote the <code>correlationId</code> when you ask about a call; it is also the header <code>X-Correlation-Id</code> of every answer.</p>
${table(['code', 'HTTP', 'meaning'], rows)}`;
}

function errorPage(code: string): Page {
  const { status, title, meaning, remedy } = errorPages.get(code)!;
  const isHttp = /^\d/.test(status);
  return {
    path: `/docs/errors/${code}`,
    title: code,
    html: `<h1>${code}</h1>
<p><strong>${title}</strong> (${isHttp ? `HTTP ${status}` : prose(status)})</p>
<h2>What it means</h2><p>${prose(meaning)}</p>
<h2>What to do</h2><p>${prose(remedy)}</p>
<h2>Example</h2><pre tabindex="0"><code>${escaped(example(code, Number(status), title)).replaceAll('&#10;', '\n')}</code></pre>
<p><a href="/docs/errors">All errors</a></p>`,
  };
}

/** Details as the routes write them. */
const details: Readonly<Record<string, string>> = {
  INVALID_ARGUMENT: 'amount: must be a positive integer of minor units, in digits',
  UNAUTHENTICATED: 'the key is unknown, or the secret is wrong',
  UNAUTHORIZED: 'the key does not cover this account',
  NOT_FOUND: 'there is no such recharge',
  DUPLICATE_REQUEST:
    'this idempotency key was used with another request; to repeat that one, send it unchanged',
  INVALID_STATE: 'too late to cancel: it was sent to the provider',
  INSUFFICIENT_BALANCE: "the account's available balance does not cover the amount",
  RATE_LIMITED: 'the limit of 600 requests per minute of this client is reached',
  INTERNAL_ERROR: 'unexpected error; send us the correlationId',
};

function example(code: string, status: number, title: string): string {
  if (code === 'TIMEOUT')
    return JSON.stringify({ status: 'in_progress', state: 'PENDING_CONFIRMATION', failure: null }, null, 2);
  if (!details[code])
    return JSON.stringify(
      { status: 'failed', state: 'FAILED', failure: { code, message: 'insufficient funds' } },
      null,
      2,
    );
  const [path, ...words] = details[code].split(': ');
  const problem = {
    type: `/docs/errors/${code}`,
    title,
    status,
    detail: details[code],
    code,
    correlationId: '0190b3a2-7c1e-7d1b-9a55-3f2c8e6d4b10',
    ...(code === 'INVALID_ARGUMENT' && { errors: [{ path, message: words.join(': ') }] }),
  };
  return JSON.stringify(problem, null, 2);
}
