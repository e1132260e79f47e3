import { createHash } from 'node:crypto';
import { escapeHtml } from '@replenish/runtime';
import { signedText } from '../auth/signatures.js';
import { code } from './layout.js';

const fields = ['method', 'path', 'timestamp', 'nonce', 'body', 'keyId', 'canonical', 'signature'] as const;
export type SignatureForm = Readonly<Record<(typeof fields)[number], string>>;

/** Reads the form. Browsers send line ends as CR LF, but a signed text has LF. */
export function signatureForm(raw: Uint8Array): SignatureForm {
  const sent = new URLSearchParams(Buffer.from(raw).toString('utf8'));
  const typed = fields.map((name) => [name, (sent.get(name) ?? '').replaceAll('\r\n', '\n')]);
  return Object.fromEntries(typed) as SignatureForm;
}

export const emptyForm = signatureForm(Buffer.alloc(0));

/**
 * A page that shows the text that a signature must cover, and the first byte where the caller's text differs. It asks
 * for no secret.
 */
export const signaturePage = (form: SignatureForm): string => `<h1>Check a signature</h1>
<p>Enter what you signed. Never paste a secret: this page does not need it. It shows the canonical string that your
signature must cover, and the first byte where yours differs. Nothing you enter is stored.</p>
${form.method ? result(form) : ''}
<form method="post" action="/docs/signature">
${input('method', 'Method', form.method || 'POST')}
${input('path', 'Path with query', form.path || '/v1/recharges')}
${input('timestamp', 'X-Timestamp (Unix seconds)', form.timestamp)}
${input('nonce', 'X-Nonce', form.nonce)}
${input('keyId', 'Key id (rk_...)', form.keyId)}
${area('body', 'Body, byte for byte', form.body)}
${area('canonical', 'Your canonical string', form.canonical)}
${input('signature', 'Your X-Signature', form.signature)}
<button>Compare</button>
</form>
<p>Line ends of the body are read as LF. If yours holds CR LF, compare the hash of the body instead.</p>`;

const input = (name: string, label: string, value: string): string =>
  `<label for="${name}">${label}</label><input id="${name}" name="${name}" value="${escapeHtml(value)}" autocomplete="off">`;

const area = (name: string, label: string, value: string): string =>
  `<label for="${name}">${label}</label><textarea id="${name}" name="${name}" spellcheck="false">\n${escapeHtml(value)}</textarea>`;

function result(form: SignatureForm): string {
  const body = Buffer.from(form.body);
  const { method, path, timestamp, nonce, keyId } = form;
  const ours = signedText(
    { method: method.toUpperCase(), originalUrl: path, body },
    { form: 'signed', keyId, signature: '', timestamp, nonce },
  );
  const faults = faultsOf(form);
  return `<h2>What your signature must cover</h2>
${code(ours)}
<p>Hash of the body: <code>${createHash('sha256').update(body).digest('hex')}</code>, ${body.length} bytes.</p>
${form.canonical ? `<p id="difference">${difference(form.canonical, ours)}</p>` : ''}
${faults.length > 0 ? `<ul>${faults.map((fault) => `<li>${fault}</li>`).join('')}</ul>` : ''}
<p>Balance signature, for <code>GET /v1/account/balance</code> only, covers: <code>${escapeHtml(timestamp + keyId)}</code></p>`;
}

/** Counts bytes of UTF-8 from 0, because the signature covers bytes. */
function difference(theirs: string, ours: string): string {
  const [a, b] = [Buffer.from(theirs), Buffer.from(ours)];
  if (theirs === ours)
    return 'Your canonical string is the same, byte for byte. If the signature is still refused, the secret is wrong.';
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  const line = b.subarray(0, at).toString('latin1').split('\n').length;
  return `<mark>The first difference is at byte ${at}</mark>, in line ${line}: yours has ${shown(a, at)}, ours has ${shown(b, at)}.`;
}

const shown = (bytes: Buffer, at: number): string =>
  at < bytes.length
    ? `0x${bytes[at]!.toString(16).padStart(2, '0')} <code>${escapeHtml(JSON.stringify(bytes.subarray(at, at + 12).toString('utf8')))}</code>`
    : 'ended';

function faultsOf({ method, path, timestamp, nonce, keyId, signature }: SignatureForm): string[] {
  const checks: readonly (readonly [isWrong: boolean, words: string])[] = [
    [method !== method.toUpperCase(), 'The method is signed in upper case.'],
    [!path.startsWith('/'), 'The path begins with / and has neither scheme nor host.'],
    [!/^\d{1,12}$/.test(timestamp), 'The timestamp is Unix seconds, in digits.'],
    [/^\d{13}$/.test(timestamp), 'This looks like milliseconds; it must be seconds.'],
    [!/^[\x21-\x7e]{1,128}$/.test(nonce), 'The nonce is 1 to 128 printable characters without blanks.'],
    [keyId !== '' && !/^rk_\w{1,64}$/.test(keyId), 'The key id begins with rk_.'],
    [
      signature !== '' && !/^v1=[0-9a-f]{64}$/.test(signature),
      'X-Signature is v1= and 64 lower-case hex digits.',
    ],
  ];
  return checks.filter(([isWrong]) => isWrong).map(([, words]) => words);
}
