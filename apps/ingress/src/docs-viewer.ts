import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type RequestHandler, Router } from 'express';
import helmet from 'helmet';
import type { Page } from './docs-layout.js';
import { otherMethods } from './methods.js';

// The package would report each install to its makers; `scarfSettings` in the top package.json keeps it quiet.
const swaggerUi = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const assets = join(import.meta.dirname, '../assets');

/** All that the page loads: two files of Swagger UI's package, and what sets it up and paints it. */
const files: Readonly<Record<string, string>> = {
  'swagger-ui-bundle.js': join(swaggerUi, 'swagger-ui-bundle.js'),
  'swagger-ui.css': join(swaggerUi, 'swagger-ui.css'),
  'viewer.js': join(assets, 'viewer.js'),
  'viewer.css': join(assets, 'viewer.css'),
};

/** A browser may keep the files for ever: other bytes have another address. */
const KEPT = 'public, max-age=31536000, immutable';
const PATH = '/docs/reference';

/**
 * The reference: Swagger UI drawing /openapi.json, with nothing from elsewhere.
 * @param mayTry whether calls can be sent from the page; keys of production have no business in a browser
 */
export function openViewer(mayTry: boolean): Readonly<{ page: Page; routes: Router }> {
  const digest = createHash('sha256');
  for (const file of Object.values(files)) digest.update(readFileSync(file));
  const base = `/docs/viewer/${digest.digest('hex').slice(0, 12)}`;
  const routes = Router();
  routes.use(PATH, policy());
  for (const [name, file] of Object.entries(files))
    routes.route(`${base}/${name}`).get(served(file)).all(otherMethods);
  return { page: page(base, mayTry), routes };
}

const page = (base: string, mayTry: boolean): Page => ({
  path: PATH,
  title: 'API reference',
  html: `<h1>API reference</h1>
<p>Every route, from <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1). Bodies are JSON or XML; ask for XML with
<code>Accept: application/xml</code>.</p>
${mayTry ? TRY : ''}<noscript><p>A script of ours draws the document. Without scripts, read the document itself.</p></noscript>`,
  below: `<div id="viewer" data-try="${mayTry ? 'on' : 'off'}"></div>
<link rel="stylesheet" href="${base}/swagger-ui.css">
<link rel="stylesheet" href="${base}/viewer.css">
<script src="${base}/swagger-ui-bundle.js" defer></script>
<script src="${base}/viewer.js" type="module"></script>
`,
});

const TRY = `<p>To try a call: press <strong>Authorize</strong>, paste a test key as <code>rk_test_....rs_...</code>, open a
route, press <strong>Try it out</strong> and <strong>Execute</strong>. The call goes to this environment and its sandbox;
<code>metadata.scenario</code> picks what happens there. The key stays in the page's memory.</p>
`;

const pack = promisify(gzip);

/** Packed when first asked for: 1.9 MB become 0.5 MB, and an ingress whose reference nobody reads keeps none of it. */
export function packedOnce(file: string): () => Promise<Buffer> {
  let packed: Promise<Buffer> | null = null;
  return () => {
    packed ??= readFile(file)
      .then((bytes) => pack(bytes))
      .catch((error: unknown) => {
        packed = null;
        throw error;
      });
    return packed;
  };
}

function served(file: string): RequestHandler {
  const packed = packedOnce(file);
  return async (request, response) => {
    response.type(file.slice(file.lastIndexOf('.')));
    response.setHeader('cache-control', KEPT);
    response.setHeader('vary', 'accept-encoding');
    if (!request.acceptsEncodings('gzip')) return void response.end(await readFile(file));
    const bytes = await packed();
    response.setHeader('content-encoding', 'gzip');
    response.end(bytes);
  };
}

/** Scripts and styles are files of ours, calls go where the page came from, and no text becomes code. */
const policy = () =>
  helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      formAction: ["'none'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  });
