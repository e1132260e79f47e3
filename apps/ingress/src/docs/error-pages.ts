import { details } from '../openapi/details.js';
import { errorPages } from './errors.js';
import { code, type Page, prose, table } from './layout.js';

export function errorList(): Page {
  const rows = [...errorPages].map(([code, { status, title }]) => [
    `<a href="/docs/errors/${code}">${code}</a>`,
    status,
    title,
  ]);
  return {
    path: '/docs/errors',
    title: 'Errors',
    content: () => ({
      html: `<h1>Errors</h1>
<p>Errors are <code>application/problem+json</code> (RFC 9457), or <code>application/problem+xml</code> when the request
asks for XML. Programs read <code>code</code>; the set is closed and stable. <code>detail</code> is for people and may
change. Quote the <code>correlationId</code> when you ask about a call; it is also the header
<code>X-Correlation-Id</code> of every answer.</p>
${table(['code', 'HTTP', 'meaning'], rows)}`,
    }),
  };
}

/** @param base public address, with which the `type` of a problem begins */
export function errorPage(name: string, base: string, hasSignaturePage: boolean): Page {
  const { status, title, meaning, remedy } = errorPages.get(name)!;
  const isHttp = /^\d/.test(status);
  const check =
    name === 'UNAUTHENTICATED' && hasSignaturePage
      ? '<p><a href="/docs/signature">Check a signature</a> shows the first byte where yours differs.</p>\n'
      : '';
  return {
    path: `/docs/errors/${name}`,
    title: name,
    content: () => ({
      html: `<h1>${name}</h1>
<p><strong>${title}</strong> (${isHttp ? `HTTP ${status}` : prose(status)})</p>
<h2>What it means</h2><p>${prose(meaning)}</p>
<h2>What to do</h2><p>${prose(remedy)}</p>
${check}<h2>Example</h2>${code(JSON.stringify(example(name, Number(status), title, base), null, 2))}
<p><a href="/docs/errors">All errors</a></p>`,
    }),
  };
}

function example(code: string, status: number, title: string, base: string): object {
  if (code === 'TIMEOUT') return { status: 'in_progress', state: 'PENDING_CONFIRMATION', failure: null };
  const detail = details[code];
  if (!detail) return { status: 'failed', state: 'FAILED', failure: { code, message: 'insufficient funds' } };
  const [path, ...words] = detail.split(': ');
  return {
    type: `${base}/docs/errors/${code}`,
    title,
    status,
    detail,
    code,
    correlationId: '0190b3a2-7c1e-7d1b-9a55-3f2c8e6d4b10',
    ...(code === 'INVALID_ARGUMENT' && { errors: [{ path, message: words.join(': ') }] }),
  };
}
