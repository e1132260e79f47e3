import { expect, test } from '@jest/globals';
import { meaningOf, type RemarkKeys, remarkOf, type TransferTerms } from '../../src/alibaba-cloud/remark.js';

const keys: RemarkKeys = [Buffer.alloc(32, 1)];
const terms: TransferTerms = {
  reference: '01932f5a-7c1e-7abc-8def-0123456789ab',
  amountMinor: 4_999n,
  currency: 'CNY',
  destination: { from: 'fa-main', to: 'fa-1' },
};
const ours = remarkOf(terms, keys);

test('a remark is short, printable, and carries our id', () => {
  expect(ours).toMatch(/^RPL1 01932f5a-7c1e-7abc-8def-0123456789ab [0-9a-f]{12}$/);
  expect(ours.length).toBeLessThan(64);
});

test.each([
  ['as it was sent', ours],
  ['in upper case', ours.toUpperCase()],
  ['after the remark of another order', `RPL1 other 0123456789ab ${ours}`],
  ['with text around it', `transfer: ${ours} (via API)`],
  ['with other spaces', `  ${ours.replaceAll(' ', '  ')} `],
])('our remark %s is ours', (_how, remark) => {
  expect(meaningOf(remark, terms, keys)).toBe('ours');
});

test('a remark of an older key is ours as long as the key is listed', () => {
  const rotated: RemarkKeys = [Buffer.alloc(32, 2), keys[0]];
  expect(meaningOf(ours, terms, rotated)).toBe('ours');
  expect(meaningOf(ours, terms, [Buffer.alloc(32, 2)])).toBe('unproven');
});

test.each<[string, Partial<TransferTerms>]>([
  ['amount', { amountMinor: 5_000n }],
  ['currency', { currency: 'USD' }],
  ['receiver', { destination: { from: 'fa-main', to: 'fa-2' } }],
  ['source', { destination: { from: 'fa-2', to: 'fa-1' } }],
])('a remark does not vouch for another %s', (_what, changes) => {
  expect(meaningOf(ours, { ...terms, ...changes }, keys)).toBe('unproven');
});

test.each([
  ['our id alone', terms.reference],
  ['our id without dashes', terms.reference.replaceAll('-', '')],
  ['a remark without its last digit', ours.slice(0, -1)],
  ['a remark with a longer MAC', `${ours}a`],
])('%s is unproven: it names the order and does not prove it', (_what, remark) => {
  expect(meaningOf(remark, terms, keys)).toBe('unproven');
});

test.each([
  ['a missing remark', ''],
  ['blanks', '   '],
  ['a remark that was cut inside our id', ours.slice(0, 20)],
])('%s is blank: the row may be any transfer', (_what, remark) => {
  expect(meaningOf(remark, terms, keys)).toBe('blank');
});

test.each([
  ['another order of ours', remarkOf({ ...terms, reference: '01932f5a-0000-7abc-8def-0123456789ab' }, keys)],
  ['a note of a person', 'November budget'],
])('%s is another transfer', (_what, remark) => {
  expect(meaningOf(remark, terms, keys)).toBe('other');
});

test('a reference that does not fit is never sent', () => {
  for (const reference of ['', 'two words', 'x'.repeat(65)])
    expect(() => remarkOf({ ...terms, reference }, keys)).toThrow(RangeError);
});
