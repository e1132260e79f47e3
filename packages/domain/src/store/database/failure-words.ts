import { types } from 'node:util';
import { UnfitDatabase } from '@replenish/runtime/postgres';
import { codeOf, isUnavailable, StoreUnavailable } from './failure.js';

const MIGRATE = 'the database has not the tables that this release needs: run `replenish migrate`';
const USER = 'the database refuses the user or the password in DATABASE_URL';

const HELD = 'another session of the database holds rows for too long (pg_stat_activity shows whose)';

/** The meaning of an SQLSTATE or of Prisma's code, for the operator who set DATABASE_URL. */
const words: Readonly<Record<string, string>> = {
  '28P01': USER,
  '28000': 'the database does not let this user in from this address (pg_hba.conf)',
  '3D000': 'the server has no database of the name in DATABASE_URL',
  '3F000': MIGRATE,
  '42P01': MIGRATE,
  '42703': MIGRATE,
  '42883': MIGRATE,
  '42501':
    'the user in DATABASE_URL may not do this in the database: docs/operations.md, "Roles", lists the rights',
  '25006': 'the database is read-only: DATABASE_URL names a standby, or the server is in recovery',
  '53100': "the database server's disk is full",
  '53300': 'the database has no free connection: too many processes, or max_connections is too low',
  '55P03': HELD,
  '57014': HELD,
  P1011: 'the database takes no TLS connection: see sslmode in DATABASE_URL',
};

// Errors of pg that have no code.
const texts: readonly (readonly [RegExp, string])[] = [
  [/client password must be a (non-empty )?string/, USER],
  [/does not support SSL connections/, words.P1011!],
  [
    /unsupported startup parameter/,
    'a connection pooler refuses what DATABASE_URL asks for at the start: docs/operations.md, "Poolers"',
  ],
];

/**
 * One sentence for an operator that says why the database failed a call. Null for an error that is not the database's.
 * The texts of Prisma and pg are not repeated, because they show our code and may quote the input of a client.
 */
export function storeFaultInWords(error: unknown): string | null {
  const causes = [...causesOf(error)];
  const unfit = causes.find((one) => one instanceof UnfitDatabase);
  if (unfit) return unfit.message;
  // The message of one of our own errors is clear without its causes, except for StoreUnavailable.
  const chain = error instanceof StoreUnavailable ? causes : causes.slice(0, 1);
  const code = chain.map(codeOf).find((one) => one !== null && Object.hasOwn(words, one));
  if (code) return words[code]!;
  for (const [text, sentence] of texts) if (chain.some((one) => text.test(one.message))) return sentence;
  if (isUnavailable(error))
    return 'the database does not answer: is the fleet up (npm start), or DATABASE_URL wrong?';
  const unknown = chain.map(codeOf).find((one) => one !== null && /^([0-9A-Z]{5}|P\d{4})$/.test(one));
  const isStores = unknown !== undefined || chain.some((one) => /^PrismaClient/.test(one.name));
  return isStores
    ? `the database refused a statement (${unknown ?? 'no code'}): this is a fault of the program`
    : null;
}

function* causesOf(error: unknown): Generator<Error> {
  for (let one = error; types.isNativeError(one); one = one.cause) yield one;
}
