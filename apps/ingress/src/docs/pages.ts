import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { evidenceStyle } from '@replenish/assembly';
import { pageLook } from '@replenish/runtime';
import { currencyPage } from './currencies.js';
import { errorList, errorPage } from './error-pages.js';
import { errorPages } from './errors.js';
import type { Group, Page } from './layout.js';
import { openMarkdown } from './markdown.js';

const assets = join(import.meta.dirname, '../../assets');
const projectDocs = join(import.meta.dirname, '../../../../docs');

const fromAssets = (name: string): string => readFileSync(join(assets, name), 'utf8');

/** Style sheet and scripts of the pages, by path. */
export const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
  '/docs/style.css': ['text/css', pageLook + fromAssets('style.css')],
  '/docs/evidence.css': ['text/css', evidenceStyle],
  '/docs/page.js': ['text/javascript', fromAssets('page.js')],
  '/docs/try.js': ['text/javascript', fromAssets('try.js')],
};

export type PagesOptions = Readonly<{
  publicUrl: string;
  sandboxUrl: string;
  reference: Page;
  /** The page that checks signatures. Null in production, because signatures of live keys do not belong on a page. */
  signature: Page | null;
}>;

type Pages = Readonly<{ groups: readonly Group[]; pages: readonly Page[] }>;

/** A page that is written in Markdown: its path, title and file, and its language if that is not English. */
type Source = readonly [path: string, title: string, file: string, language?: string];

/**
 * All pages, in the order of the navigation. The pages of the errors follow. Pages from the folder `docs` are left out
 * where that folder is missing.
 */
export function openPages({ publicUrl, sandboxUrl, reference, signature }: PagesOptions): Pages {
  const read = openMarkdown(targetOf);
  const page = (write: () => string, [path, title, , language]: Source): Page => ({
    path,
    title,
    language,
    content: () => {
      const { html, ...rest } = read(write());
      return { ...rest, html: html.replace('<p>STATES_DIAGRAM</p>', () => fromAssets('states.svg')) };
    },
  });
  const own = (source: Source): Page =>
    page(() => fromAssets(source[2]).replaceAll('PUBLIC_URL', publicUrl), source);
  // The project's files name the local ingress and sandbox. The pages name the addresses of this installation instead.
  const ofProject = (source: Source): Page[] => {
    const file = join(projectDocs, source[2]);
    const local = () =>
      readFileSync(file, 'utf8')
        .replaceAll('http://127.0.0.1:8080', publicUrl)
        .replaceAll('http://127.0.0.1:8090', sandboxUrl);
    return existsSync(file) ? [page(local, source)] : [];
  };
  const [quickStart, ...begin] = sources.begin.map(own);
  const groups: Group[] = [
    {
      title: 'Begin',
      pages: [quickStart!, ...ofProject(AUTHENTICATION), ...(signature ? [signature] : []), ...begin],
    },
    { title: 'Recharges', pages: [...sources.recharges.map(own), currencyPage()] },
    { title: 'API', pages: [reference, errorList(), ...sources.api.map(own)] },
    { title: 'For operators', pages: sources.operators.flatMap(ofProject) },
  ].filter(({ pages }) => pages.length > 0);
  const ofErrors = [...errorPages.keys()].map((name) => errorPage(name, publicUrl, signature !== null));
  return { groups, pages: [...groups.flatMap(({ pages }) => pages), ...ofErrors] };
}

const AUTHENTICATION: Source = ['/docs/authentication', 'Authentication', 'authentication.md'];

const sources: Readonly<Record<'begin' | 'recharges' | 'api' | 'operators', readonly Source[]>> = {
  begin: [
    ['/docs', 'Quick start', 'quick-start.md'],
    ['/docs/keys', 'Test and live keys', 'keys.md'],
    ['/docs/testing', 'Test scenarios', 'testing.md'],
    ['/docs/going-live', 'Going live', 'going-live.md'],
    ['/docs/zh', '快速开始', 'quick-start.zh.md', 'zh-CN'],
  ],
  recharges: [
    ['/docs/idempotency', 'Idempotency', 'idempotency.md'],
    ['/docs/states', 'States', 'states.md'],
    ['/docs/retries', 'Retries', 'retries.md'],
    ['/docs/payment-methods', 'Payment methods', 'payment-methods.md'],
    ['/docs/refunds', 'Refunds', 'refunds.md'],
    ['/docs/plans', 'Plans', 'plans.md'],
    ['/docs/callbacks', 'Callbacks', 'callbacks.md'],
    ['/docs/automatic-recharge', 'Automatic recharge', 'automatic-recharge.md'],
    ['/docs/webhooks', 'Webhooks', 'webhooks.md'],
  ],
  api: [
    ['/docs/pagination', 'Pagination', 'pagination.md'],
    ['/docs/rate-limits', 'Rate limits', 'rate-limits.md'],
    ['/docs/changelog', 'Changelog', 'changelog.md'],
  ],
  operators: [
    ['/docs/operators', 'Keys and secrets', 'keys.md'],
    ['/docs/sandbox', 'Provider sandbox', 'sandbox.md'],
  ],
};

/** Files of the folder `docs` that are shown as pages, with the names of the pages. */
const projectPages: Readonly<Record<string, string>> = {
  authentication: 'authentication',
  keys: 'operators',
  sandbox: 'sandbox',
};
const absent = new Set(
  Object.entries(projectPages)
    .filter(([file]) => !existsSync(join(projectDocs, `${file}.md`)))
    .map(([, page]) => page),
);

function targetOf(href: string): string | null {
  const file = /^(?:docs\/)?([\w-]+)\.md(#.*)?$/.exec(href);
  if (file) {
    const page = projectPages[file[1]!];
    return page ? targetOf(`/docs/${page}${file[2] ?? ''}`) : null;
  }
  const page = /^\/docs\/([\w-]+)/.exec(href)?.[1];
  return /^[/#](?!\/)/.test(href) && !absent.has(page ?? '') ? href : null;
}
