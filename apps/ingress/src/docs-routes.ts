import { type RequestHandler, type Response, Router, raw } from 'express';
import helmet from 'helmet';
import { layout, type Page } from './docs-layout.js';
import { openPages, styleSheet } from './docs-pages.js';
import { emptyForm, signatureForm, signaturePage } from './docs-signature.js';
import { openViewer } from './docs-viewer.js';
import { otherMethods } from './methods.js';
import { openapiDocument } from './openapi.js';

export type DocsOptions = Readonly<{
  /** Base of every example. */
  publicUrl: string;
  /** In production nobody types signatures or keys into a page. */
  isProduction: boolean;
}>;

const FORM_MAX = '64kb';
const CACHED = 'public, max-age=300';

/** The contract for machines and for people, made once at start. No page needs a network, and only the reference a script. */
export function docsRoutes({ publicUrl, isProduction }: DocsOptions): Router {
  const viewer = openViewer(!isProduction);
  const { navigation, pages } = openPages(publicUrl, viewer.page);
  const signature = { path: '/docs/signature', title: 'Check a signature', html: '' };
  const menu = isProduction ? navigation : [...navigation, signature];
  const router = Router();
  const contract = JSON.stringify(openapiDocument(publicUrl));
  const serve = (path: string, type: string, text: string): void => {
    const show: RequestHandler = (_request, response) => sendText(response, type, text);
    router.route(path).get(show).all(otherMethods);
  };
  serve('/openapi.json', 'application/json', contract);
  router.use('/docs', policy());
  router.use(viewer.routes);
  serve('/docs/style.css', 'text/css', styleSheet);
  for (const page of pages) serve(page.path, 'text/html', layout(page, menu));
  if (!isProduction) addSignature(router, signature, menu);
  return router;
}

function addSignature(router: Router, page: Page, menu: readonly Page[]): void {
  const show = (response: Response, html: string) => {
    response.setHeader('cache-control', 'no-store');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(layout({ ...page, html }, menu));
  };
  router
    .route(page.path)
    .get((_request, response) => show(response, signaturePage(emptyForm)))
    .post(raw({ type: () => true, limit: FORM_MAX, inflate: false }), (request, response) =>
      show(response, signaturePage(Buffer.isBuffer(request.body) ? signatureForm(request.body) : emptyForm)),
    )
    .all(otherMethods);
}

function sendText(response: Response, type: string, text: string): void {
  response.setHeader('cache-control', CACHED);
  response.setHeader('content-type', `${type}; charset=utf-8`);
  response.end(text);
}

/** The pages run nothing and send forms to us alone. What else their headers say is the app's business. */
const policy = () =>
  helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  });
