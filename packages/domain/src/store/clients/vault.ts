import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** A master key: 32 bytes with a short id. The id is stored beside each value that the key sealed. */
type MasterKey = Readonly<{ id: string; bytes: Buffer }>;

/** Encrypts secrets that are stored. `context` binds a sealed value to its row, so it does not open in another row. */
export interface Vault {
  seal(plain: string, context: string): Uint8Array<ArrayBuffer>;
  /** @throws if the master key is missing, or the value was changed or belongs to another context */
  open(sealed: Uint8Array, context: string): string;
  /** Whether the first master key sealed the value. */
  isCurrent(sealed: Uint8Array): boolean;
}

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12; // NIST SP 800-38D section 8.2.2: 96 random bits, good for 2^32 values under one key
const TAG_BYTES = 16;

/**
 * AES-256-GCM. A sealed value is: length of the key id, key id, IV, tag, ciphertext.
 *
 * The first master key seals, and all of them open. To change the master key, put a new one in front, seal all secrets
 * again (`rekey`), and remove the old one.
 * @param masterKeys `<id>:<base64 of 32 bytes>`, several of them separated by white space
 * @throws for any other form
 */
export function openVault(masterKeys: string): Vault {
  const keys = masterKeys.split(/\s+/).filter(Boolean).map(masterKey);
  const byId = new Map(keys.map((key) => [key.id, key]));
  const [current] = keys;
  if (!current) throw new Error('the vault needs a master key');
  if (byId.size < keys.length) throw new Error('two master keys have one id');
  return {
    seal: (plain, context) => {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, current.bytes, iv, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      const id = Buffer.from(current.id);
      return new Uint8Array(Buffer.concat([Buffer.from([id.length]), id, iv, cipher.getAuthTag(), body]));
    },
    open: (sealed, context) => {
      const { keyId, iv, tag, body } = unpack(sealed);
      const key = byId.get(keyId);
      if (!key) throw new Error(`a secret was sealed with master key ${keyId}, which is not given`);
      // Without `authTagLength` Node accepts a tag that was cut to four bytes, and four bytes can be guessed.
      const decipher = createDecipheriv(CIPHER, key.bytes, iv, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(tag);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    },
    isCurrent: (sealed) => unpack(sealed).keyId === current.id,
  };
}

function unpack(sealed: Uint8Array) {
  const bytes = Buffer.from(sealed);
  const ivAt = 1 + (bytes[0] ?? 0);
  const tagAt = ivAt + IV_BYTES;
  return {
    keyId: bytes.subarray(1, ivAt).toString(),
    iv: bytes.subarray(ivAt, tagAt),
    tag: bytes.subarray(tagAt, tagAt + TAG_BYTES),
    body: bytes.subarray(tagAt + TAG_BYTES),
  };
}

function masterKey(text: string): MasterKey {
  const [, id = '', encoded = ''] = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(text) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  // The message is written to a log, so it never quotes the text.
  if (bytes.length !== 32) throw new Error('a master key is <id>:<base64 of 32 bytes>');
  return { id, bytes };
}
