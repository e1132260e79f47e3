import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

// The first choice of OWASP's password storage cheat sheet for scrypt: N=2^17, r=8, p=1. It takes 128 MiB and about 0.4
// s.
const COST = { N: 2 ** 17, r: 8, p: 1 } as const;
const KEY_BYTES = 32;
// Memory that a configured hash may require. Without the limit, a typing error in N could exhaust all memory.
const MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;

const FORM = /^scrypt\$(\d{1,8})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9+/]{16,}={0,2})\$([A-Za-z0-9+/]{43}=)$/;

/**
 * Returns `scrypt$N$r$p$<salt, base64>$<hash, base64>`. The text contains the cost of the hash, so that a later release
 * can raise the cost.
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64'), key.toString('base64')].join('$');
}

/**
 * Whether the password matches, compared in constant time.
 * @throws when `hash` does not have the form of `hashPassword`, or requires too much memory
 */
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

/** Whether two texts are the same, compared in constant time. */
export function isSameText(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
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
