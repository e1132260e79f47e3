import { expect, test } from '@jest/globals';
import { BadConfiguration, readConfig, readTogether } from '../src/config.js';

const read = (env: Record<string, string>) => readConfig({ REPLENISH_DIR: '/nowhere', ...env });

test.each([
  ['https://pay.example', 'https://pay.example'],
  ['https://pay.example/', 'https://pay.example'],
  ['https://pay.example/in//', 'https://pay.example/in'],
])('PUBLIC_URL %s is the base %s', (given, base) => {
  expect(read({ PUBLIC_URL: given }).PUBLIC_URL).toBe(base);
});

test('what is read together is there together', () => {
  const [one, two] = readTogether(
    () => 1,
    () => 'two',
  );
  expect([one + 1, two.length]).toEqual([2, 3]);
});

test('the faults of a configuration are told together, and anything else is no fault of it', () => {
  const bad = (words: string) => () => {
    throw new BadConfiguration(words);
  };
  const fault = (() => {
    try {
      return readTogether(bad('no database'), () => 1, bad('no keys\nno proxy'));
    } catch (error) {
      return error;
    }
  })();
  expect(fault).toBeInstanceOf(BadConfiguration);
  expect((fault as Error).message).toBe('no database\nno keys\nno proxy');
  const broken = () => {
    throw new TypeError('broken');
  };
  expect(() => readTogether(bad('no database'), broken)).toThrow(TypeError);
});

test('a fault of the configuration is told without the stack, which says nothing of it', () => {
  expect(new BadConfiguration('no database').stack).toBeUndefined();
});
