import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { referencePage } from '../../src/docs/reference.js';
import { openapiDocument } from '../../src/openapi/document.js';
import { type Ingress, openIngress } from '../support/ingress.js';

let ingress: Ingress;
let html: string;

const document = openapiDocument('https://pay.example') as {
  paths: Record<string, Record<string, { operationId: string; summary: string }>>;
  components: { schemas: Record<string, object> };
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, path, ...operation })),
);

beforeAll(async () => {
  ingress = await openIngress();
  html = (await ingress.call('GET', '/docs/reference')).text;
});
afterAll(() => ingress.close());

/** The section of one operation. */
const sectionOf = (id: string): string => new RegExp(`<section id="${id}".*?</section>`, 's').exec(html)![0];

test('every operation is readable without a script and linked from the list', () => {
  expect(operations.length).toBeGreaterThan(12);
  for (const { operationId, method, path, summary } of operations) {
    expect(html).toContain(`<a href="#${operationId}">${summary.replaceAll("'", '&#39;')}</a>`);
    const section = sectionOf(operationId);
    expect(section).toContain(`<b>${method.toUpperCase()}</b> ${path}`);
    expect(section).toContain('<h4>Answers</h4>');
    if (path.startsWith('/v1')) expect(section).toContain('<a href="/docs/errors/UNAUTHENTICATED">');
  }
});

test('every operation has a sample in each language', () => {
  for (const { operationId } of operations) {
    const languages = [...sectionOf(operationId).matchAll(/<summary>([^<]+)<\/summary>/g)].map(
      ([, name]) => name,
    );
    expect([operationId, languages.filter((name) => name !== 'Try it')]).toEqual([
      operationId,
      ['Shell', 'Node.js', 'Python', 'Java', 'Go', 'PHP', 'C#'],
    ]);
  }
});

test('samples that create a recharge send an idempotency key', () => {
  for (const id of ['createRecharge', 'createRechargeAlias', 'charge'])
    expect(sectionOf(id).match(/Idempotency-Key/g)!.length).toBeGreaterThan(7);
});

test('every schema has a section, and all links to it lead there', () => {
  for (const name of Object.keys(document.components.schemas)) expect(html).toContain(`id="schema-${name}"`);
  for (const [, anchor] of html.matchAll(/href="#([^"]+)"/g)) expect(html).toContain(`id="${anchor}"`);
});

test('ids are unique and headings skip no level', () => {
  const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
  expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  const levels = [...html.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
  levels.reduce((before, level) => {
    expect(level - before).toBeLessThanOrEqual(1);
    return level;
  }, 0);
});

test('calls can be tried outside production only', () => {
  const forms = html.match(/<form data-method/g)!;
  expect(forms.length).toBe(operations.filter(({ operationId }) => operationId !== 'takeWebhook').length);
  const page = referencePage(() => document, false);
  expect(page.sendsCalls).toBe(false);
  expect(page.content().html).not.toMatch(/<form|<input/);
});

type Sent = { path: string; method: string; headers: Headers; body: string | undefined };

/** Runs the page's script on a form and presses Send once per body. */
async function press(bodies: readonly string[]): Promise<Sent[]> {
  const script = readFileSync(join(import.meta.dirname, '../../assets/try.js'), 'utf8');
  const sent: Sent[] = [];
  const shown = { textContent: '' };
  let submit: (event: object) => Promise<void> = async () => {};
  const form = {
    dataset: { method: 'POST', key: 'true', idempotent: 'true' },
    elements: { path: { value: '/v1/recharges' }, body: { value: '' } },
    querySelector: () => shown,
    addEventListener: (_: string, listener: typeof submit) => {
      submit = listener;
    },
  };
  const keyField = { value: ' rk_test_1.rs_2 ', form: { addEventListener: () => {} } };
  const browser = {
    document: { getElementById: () => keyField, querySelectorAll: () => [form] },
    fetch: async (path: string, options: Omit<Sent, 'path'>) => {
      sent.push({ path, ...options });
      return { status: 202, text: async () => '{"amount":9007199254740993}' };
    },
  };
  new Function(...Object.keys(browser), script)(...Object.values(browser));
  for (const body of bodies) {
    form.elements.body.value = body;
    await submit({ preventDefault: () => {} });
  }
  expect(shown.textContent).toMatch(/^HTTP 202\n[\s\S]*9007199254740993/);
  return sent;
}

test('the same body is sent with the same idempotency key, another body with a new one', async () => {
  const sent = await press(['{"a":1}', '{"a":1}', '{"a":2}']);
  const keys = sent.map(({ headers }) => headers.get('idempotency-key'));
  expect(keys[0]).toMatch(/^[\x21-\x7e]{10,255}$/);
  expect([keys[1] === keys[0], keys[2] === keys[0]]).toEqual([true, false]);
  expect(sent[0]!.headers.get('authorization')).toBe('Bearer rk_test_1.rs_2');
  expect(sent.map(({ path, method, body }) => [path, method, body])[0]).toEqual([
    '/v1/recharges',
    'POST',
    '{"a":1}',
  ]);
});
