import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { until } from '@replenish/testing';
import { type AuditTrail, openAuditTrail } from '../../src/audit/trail.js';
import { auditNames, bearer, type Ingress, openIngress } from '../support/ingress.js';
import { sendBytes } from '../support/problem.js';

let ingress: Ingress;
let trail: AuditTrail;
let key: NewKey;
let bound: NewKey;

beforeAll(async () => {
  ingress = await openIngress({
    auth: { trustProxy: ['127.0.0.1', '10.0.0.0/8'] },
    protection: ({ domain, log, registry }) => {
      trail = openAuditTrail({ audit: domain.audit, log, registry, names: auditNames });
      return { observers: [trail.see] };
    },
  });
  key = await ingress.client();
  bound = await ingress.client({ ipAllow: ['203.0.113.0/24', '2001:db8::/32', '::ffff:198.51.100.0/120'] });
});
afterAll(async () => {
  await ingress.close();
  await trail.close();
});

/** The address that the audit trail keeps for a call with these headers. */
async function keptFor(lines: readonly string[], by = key): Promise<{ status: string; ip: unknown }> {
  const correlationId = `ip-${Math.random().toString(36).slice(2)}`;
  const head = [
    'GET /v1/recharges?limit=1 HTTP/1.1',
    ...['Host: x', 'Connection: close', `X-Correlation-Id: ${correlationId}`, `Authorization: ${bearer(by)}`],
    ...lines,
  ];
  const answer = await sendBytes(ingress.url, `${head.join('\r\n')}\r\n\r\n`);
  const rows = await until(
    async () => {
      const found = await ingress.sql('select ip from audit_call where correlation_id = $1', [correlationId]);
      return found.length > 0 && found;
    },
    { limitMs: 30_000 },
    'the call in the trail',
  );
  return { status: answer.slice(9, 12), ip: rows[0]!.ip };
}

test.each<[string, string[], string, string]>([
  ['an address', ['X-Forwarded-For: 203.0.113.9'], '200', '203.0.113.9'],
  ['a port', ['X-Forwarded-For: 203.0.113.9:54321'], '200', '203.0.113.9'],
  ['IPv6 with a port', ['X-Forwarded-For: [2001:DB8::9]:443'], '200', '2001:db8::9'],
  ['IPv4 as IPv6', ['X-Forwarded-For: ::ffff:203.0.113.9'], '200', '203.0.113.9'],
  ['a network listed as IPv6', ['X-Forwarded-For: 198.51.100.7'], '200', '198.51.100.7'],
  [
    'several lines',
    ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-For: 203.0.113.9,', 'X-Forwarded-For: 10.0.0.2:80'],
    '200',
    '203.0.113.9',
  ],
  ['Forwarded', ['Forwarded: for="203.0.113.9:4711";proto=https'], '200', '203.0.113.9'],
  ['an address of others', ['X-Forwarded-For: 192.0.2.1'], '403', '192.0.2.1'],
  ['unknown', ['X-Forwarded-For: unknown'], '403', '127.0.0.1'],
  ['free text', [`X-Forwarded-For: ${'x'.repeat(4_000)}`], '403', '127.0.0.1'],
  ['markup', ['X-Forwarded-For: <script>203.0.113.9</script>'], '403', '127.0.0.1'],
])(
  "with %s the audit trail keeps an address, and the key's list of addresses is checked with it",
  async (_what, lines, status, ip) => {
    expect(await keptFor(lines)).toEqual({ status: '200', ip });
    expect(await keptFor(lines, bound)).toEqual({ status, ip });
  },
);
