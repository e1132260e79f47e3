import { expect, test } from '@jest/globals';
import { monthStartOf, nextMonthStartOf, quietUntil } from '../../src/core/rules/rule-hours.js';

const at = (text: string): Date => new Date(text);

test.each([
  ['UTC', '2026-11-21T12:00:00Z', '2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
  ['Asia/Shanghai', '2026-10-31T16:00:00Z', '2026-10-31T16:00:00.000Z', '2026-11-30T16:00:00.000Z'],
  ['Asia/Shanghai', '2026-10-31T15:59:59Z', '2026-09-30T16:00:00.000Z', '2026-10-31T16:00:00.000Z'],
  ['America/New_York', '2026-12-15T00:00:00Z', '2026-12-01T05:00:00.000Z', '2027-01-01T05:00:00.000Z'],
  ['America/New_York', '2026-03-20T00:00:00Z', '2026-03-01T05:00:00.000Z', '2026-04-01T04:00:00.000Z'],
])('in %s the month of %s begins at %s and ends at %s', (zone, time, start, end) => {
  expect(monthStartOf(at(time), zone).toISOString()).toBe(start);
  expect(nextMonthStartOf(at(time), zone).toISOString()).toBe(end);
});

test.each([
  ['14:00', true, '22:00'],
  ['21:59', true, '06:00'],
  ['22:00', false, '06:00'],
  ['13:59', false, '22:00'],
])('at %s UTC it is quiet in China from 22:00 to 06:00: %s', (time, isQuiet) => {
  const quiet = quietUntil(at(`2026-11-21T${time}:00Z`), { from: '22:00', to: '06:00' }, 'Asia/Shanghai');
  expect(quiet?.toISOString() ?? null).toBe(isQuiet ? '2026-11-21T22:00:00.000Z' : null);
});

test('without quiet hours it is never quiet', () => {
  expect(quietUntil(at('2026-11-21T12:00:00Z'), null, 'UTC')).toBeNull();
});
