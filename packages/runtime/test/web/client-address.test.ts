import { expect, test } from '@jest/globals';
import { addressIn, clientAddress } from '../../src/web/client-address.js';

test.each([
  ['203.0.113.9', '203.0.113.9'],
  [' 203.0.113.9\t', '203.0.113.9'],
  ['203.0.113.9:54321', '203.0.113.9'],
  ['"203.0.113.9:54321"', '203.0.113.9'],
  ['203.0.113.9:_port', '203.0.113.9'],
  ['2001:DB8:0:0::9', '2001:db8::9'],
  ['[2001:db8::9]', '2001:db8::9'],
  ['[2001:db8::9]:54321', '2001:db8::9'],
  ['"[2001:db8::9]:54321"', '2001:db8::9'],
  ['2001:db8::9:54321', '2001:db8::9'],
  ['2001:db8:0:0:0:0:0:9:443', '2001:db8::9'],
  ['2001:db8::9:443', '2001:db8::9:443'],
  ['fe80::1%eth0', 'fe80::1'],
  ['[fe80::1%25eth0]:443', 'fe80::1'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['::FFFF:cb00:7109', '203.0.113.9'],
  ['[::ffff:203.0.113.9]:443', '203.0.113.9'],
  ['0:0:0:0:0:ffff:203.0.113.9', '203.0.113.9'],
  ['::1', '::1'],
])('%s is read as %s', (entry, address) => expect(addressIn(entry)).toBe(address));

test.each([
  ...['', 'unknown', '_hidden', '"_secret"', 'localhost', '203.0.113', '203.0.113.256', '203.0.113.09'],
  ...[
    '[]',
    '[203.0.113.9',
    '203.0.113.9]',
    'for=203.0.113.9',
    '<script>',
    '1',
    ':',
    '::1::',
    '203.0.113.9 x',
  ],
  ...['a'.repeat(10_000), `${'1:'.repeat(5_000)}`],
])('%s is not an address', (entry) => expect(addressIn(entry)).toBeNull());

const from = (
  remoteAddress: string | undefined,
  headers: Record<string, string>,
  trusted: readonly string[],
) => clientAddress({ headers, socket: { remoteAddress } }, (address) => trusted.includes(address));

test.each<[string, string, string | undefined]>([
  ['one proxy', '203.0.113.9:4711', '203.0.113.9'],
  ['an entry that the client wrote', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
  ['two believed proxies', '203.0.113.9, 10.0.0.2', '203.0.113.9'],
  ['two believed proxies with ports', '203.0.113.9:1, [::ffff:10.0.0.2]:2', '203.0.113.9'],
  ['empty entries', ' , 203.0.113.9,, ', '203.0.113.9'],
  ['nothing', '', '10.0.0.1'],
  ['an unknown client', 'unknown', undefined],
  ['an unknown client behind a known one', 'unknown, 203.0.113.9', '203.0.113.9'],
  ['a hidden client behind a trusted proxy', '_hidden, 10.0.0.2', undefined],
  ['believed proxies alone', '10.0.0.2', '10.0.0.2'],
])('X-Forwarded-For with %s', (_what, list, address) =>
  expect(from('::ffff:10.0.0.1', { 'x-forwarded-for': list }, ['10.0.0.1', '10.0.0.2'])).toBe(address),
);

test('forwarding headers count only from a trusted proxy', () => {
  const headers = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' };
  expect(from('192.0.2.1', headers, ['10.0.0.1'])).toBe('192.0.2.1');
  expect(from(undefined, headers, ['10.0.0.1'])).toBeUndefined();
});

test.each<[string, string | undefined]>([
  ['for=203.0.113.9', '203.0.113.9'],
  ['For="[2001:db8::9]:4711";proto=https', '2001:db8::9'],
  ['proto=https; for=203.0.113.9, for=10.0.0.2;by=10.0.0.1', '203.0.113.9'],
  ['for=unknown', undefined],
  ['for="_gazonk"', undefined],
  ['proto=https', undefined],
])('Forwarded: %s is read', (forwarded, address) =>
  expect(from('10.0.0.1', { forwarded }, ['10.0.0.1', '10.0.0.2'])).toBe(address),
);

test('X-Forwarded-For takes precedence over Forwarded, which the client may have written', () => {
  const headers = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=198.51.100.1' };
  expect(from('10.0.0.1', headers, ['10.0.0.1'])).toBe('203.0.113.9');
});
