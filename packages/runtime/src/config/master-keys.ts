import { readFileSync } from 'node:fs';
import { BadConfiguration, type Config, MASTER_KEYS_FORM } from './read.js';

/**
 * The master keys of the vault, from MASTER_KEY_FILE or MASTER_KEYS. Undefined when neither is set.
 * @throws BadConfiguration when the file cannot be read or does not contain master keys
 */
export function masterKeysOf(config: Pick<Config, 'MASTER_KEYS' | 'MASTER_KEY_FILE'>): string | undefined {
  if (config.MASTER_KEY_FILE === undefined) return config.MASTER_KEYS;
  const text = readMasterKeyFile(config.MASTER_KEY_FILE);
  if (MASTER_KEYS_FORM.test(text)) return text;
  throw new BadConfiguration('MASTER_KEY_FILE: the file does not hold <id>:<base64 of 32 bytes>');
}

function readMasterKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new BadConfiguration(`MASTER_KEY_FILE: ${(error as Error).message}`);
  }
}

/** Like `masterKeysOf`, but production requires keys, and they must be random bytes. @throws BadConfiguration */
export function requireMasterKeys(config: Config): string | undefined {
  const keys = masterKeysOf(config);
  if (config.NODE_ENV !== 'production') return keys;
  if (keys === undefined)
    throw new BadConfiguration('NODE_ENV=production needs MASTER_KEYS or MASTER_KEY_FILE: see docs/keys.md');
  const weak = keys.trim().split(/\s+/).filter(isTyped);
  if (weak.length === 0) return keys;
  const ids = weak.map((key) => key.split(':')[0]).join(', ');
  throw new BadConfiguration(`master key ${ids}: not random bytes; make it with openssl rand -base64 32`);
}

// 32 random bytes have about 30 distinct values, and only once in 10^14 they have at most 16. A typed key has fewer
// distinct values. Hex digits have 16, and a sentence has about as many.
const DISTINCT_BYTES_MIN = 17;

const isTyped = (key: string): boolean =>
  new Set(Buffer.from(key.split(':')[1]!, 'base64')).size < DISTINCT_BYTES_MIN;
