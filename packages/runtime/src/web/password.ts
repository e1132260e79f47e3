import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

// OWASP's password storage sheet names N=2^17, r=8, p=1 as its first choice for scrypt: 128 MiB and about 0.4 s.
const COST = { N: 2 ** 17, r: 8, p: 1 } as const;
const KEY_BYTES = 32;
// A hash read from configuration may ask for no more than this: a slip there must not take all memory.
const MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;

const FORM = /^scrypt\$(\d{1,8})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9+/]{16,}={0,2})\$([A-Za-z0-9+/]{43}=)$/;

/** `scrypt$N$r$p$<salt, base64>$<hash, base64>`: carries its own cost, so that the cost can rise later. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64'), key.toString('base64')].join('$');
}

/** Compares in constant time. @throws when `hash` is not of the form `hashPassword` writes, or asks for too much memory. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [, N, r, p, salt, key] = FORM.exec(hash) ?? [];
  if (!salt || !key) throw new Error('a password hash must look like scrypt$N$r$p$<salt>$<hash>');
  const derived = await derive(password, Buffer.from(salt, 'base64'), {
    N: Number(N),
    r: Number(r),
    p: Number(p),
  });
  return timingSafeEqual(derived, Buffer.from(key, 'base64'));
}

// The cheapest of the settings that the sheet calls equal: N=2^13, r=8, p=10.
const WORK_MIN = 2 ** 13 * 8 * 10;

/** What is wrong with a hash before any password is tried; null when nothing is. */
export function faultOfHash(hash: string): 'malformed' | 'cheap' | null {
  const [, N, r, p] = FORM.exec(hash) ?? [];
  if (N === undefined) return 'malformed';
  return Number(N) * Number(r) * Number(p) < WORK_MIN ? 'cheap' : null;
}

const derive = (password: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    scrypt(
      password.normalize('NFKC'),
      salt,
      KEY_BYTES,
      { ...cost, maxmem: MEMORY_LIMIT_BYTES },
      (error, key) => (error ? reject(error) : resolve(key)),
    ),
  );
