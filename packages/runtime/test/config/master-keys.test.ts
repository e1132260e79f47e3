import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { masterKeysOf, requireMasterKeys } from '../../src/config/master-keys.js';
import { BadConfiguration, readConfig } from '../../src/config/read.js';

const dir = mkdtempSync(join(tmpdir(), 'replenish-master-keys-'));
afterAll(() => rmSync(dir, { recursive: true }));

const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const read = (env: Record<string, string>) => readConfig({ REPLENISH_DIR: dir, ...env });

function fileOf(text: string): string {
  const path = join(dir, randomBytes(4).toString('hex'));
  writeFileSync(path, text);
  return path;
}

test('master keys come from the environment or from a file, and the file takes precedence', () => {
  const [one, two] = [key('one'), key('two')];
  expect(masterKeysOf(read({}))).toBeUndefined();
  expect(masterKeysOf(read({ MASTER_KEYS: `${one} ${two}` }))).toBe(`${one} ${two}`);
  const file = fileOf(`${two}\n${one}\n`);
  expect(masterKeysOf(read({ MASTER_KEYS: one, MASTER_KEY_FILE: file }))).toBe(`${two}\n${one}\n`);
});

test.each(['one', 'one:', `one:${randomBytes(31).toString('base64')}`, `${key('a')},${key('b')}`])(
  '%p is refused as a master key, and the message does not repeat it',
  (text) => {
    const faults = [
      () => read({ MASTER_KEYS: text }),
      () => masterKeysOf(read({ MASTER_KEY_FILE: fileOf(text) })),
    ].map((run) => {
      try {
        return run();
      } catch (error) {
        return error;
      }
    });
    for (const fault of faults) {
      expect(fault).toBeInstanceOf(BadConfiguration);
      expect((fault as Error).message).toMatch(/MASTER_KEY/);
      if (text.length > 10) expect((fault as Error).message).not.toContain(text.slice(4, 20));
    }
  },
);

test('a missing file is a fault of the configuration', () => {
  expect(() => masterKeysOf(read({ MASTER_KEY_FILE: join(dir, 'none') }))).toThrow(BadConfiguration);
});

test.each([
  Buffer.alloc(32),
  Buffer.alloc(32, 9),
  Buffer.from('correct horse battery staple, ok'),
  Buffer.from('0123456789abcdef0123456789abcdef'),
])('production refuses a master key that is not random: %p', (bytes) => {
  const keys = `${key('good')} typed:${bytes.toString('base64')}`;
  expect(() => requireMasterKeys(read({ NODE_ENV: 'production', MASTER_KEYS: keys }))).toThrow(
    /^master key typed: not random/,
  );
  expect(requireMasterKeys(read({ MASTER_KEYS: keys }))).toBe(keys);
});

test('production requires a master key', () => {
  expect(() => requireMasterKeys(read({ NODE_ENV: 'production' }))).toThrow(BadConfiguration);
  const keys = key('live');
  expect(requireMasterKeys(read({ NODE_ENV: 'production', MASTER_KEYS: keys }))).toBe(keys);
  expect(requireMasterKeys(read({ NODE_ENV: 'development' }))).toBeUndefined();
});
