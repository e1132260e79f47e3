import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PageLink } from '@replenish/runtime';
import { type RequestHandler, type Response, Router, raw } from 'express';
import helmet from 'helmet';
import { sendCached } from '../http/answers/send.js';
import { otherMethods } from '../http/methods.js';
import { once } from '../http/once.js';
import { layout, type Page, type Site } from './layout.js';
import { files, openPages } from './pages.js';
import { referencePage } from './reference.js';
import { emptyForm, signatureForm, signaturePage } from './signature.js';

export type DocsOptions = Readonly<{
  /** Public address, for the examples. */
  publicUrl: string;
  /** The OpenAPI document. */
  contract: () => object;
  /** Whether this is production, where no page asks for a signature or a key. */
  isProduction: boolean;
  /** Links to the dashboard and the sandbox. */
  places: readonly PageLink[];
}>;

const FORM_MAX = '64kb';
const LOCAL_SANDBOX = 'http://127.0.0.1:8090';

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string;
};

const SIGNATURE: Page = {
  path: '/docs/signature',
  title: 'Check a signature',
  content: () => ({ html: signaturePage(emptyForm) }),
};

/**
 * The routes of the documentation. No page loads anything from another host, and each page can be read without
 * scripts.
 */
export function docsRoutes({ publicUrl, contract, isProduction, places }: DocsOptions): Router {
  const checkPage = isProduction ? null : SIGNATURE;
  const { groups, pages } = openPages({
    publicUrl,
    sandboxUrl: places.find(({ text }) => text === 'Sandbox')?.href ?? LOCAL_SANDBOX,
    reference: referencePage(contract, !isProduction),
    signature: checkPage,
  });
  const site: Site = { groups, version, places };
  const router = Router();
  const serve = (path: string, type: string, write: () => string): void => {
    const text = once(write);
    const show: RequestHandler = (_request, response) => sendCached(response, type, text());
    router.route(path).get(show).all(otherMethods);
  };
  router.use('/docs', policy());
  for (const [path, [type, text]] of Object.entries(files)) serve(path, type, () => text);
  for (const page of pages) if (page !== checkPage) serve(page.path, 'text/html', () => layout(page, site));
  if (checkPage) addSignature(router, checkPage, site);
  return router;
}

function addSignature(router: Router, page: Page, site: Site): void {
  const show = (response: Response, html: string) => {
    response.setHeader('cache-control', 'no-store');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(layout({ ...page, content: () => ({ html }) }, site));
  };
  router
    .route(page.path)
    .get((_request, response) => show(response, signaturePage(emptyForm)))
    .post(raw({ type: () => true, limit: FORM_MAX, inflate: false }), (request, response) =>
      show(response, signaturePage(Buffer.isBuffer(request.body) ? signatureForm(request.body) : emptyForm)),
    )
    .all(otherMethods);
}

/**
 * The content security policy of the pages. Scripts and styles come only from our own files, calls and forms go only to
 * this host, and inline code is forbidden. The other security headers are set by the app.
 */
const policy = () =>
  helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  });
