import { Prisma } from '../../generated/client.js';
import { bodyOf, GENESIS, GONE } from '../chain/links.js';

/** The links of the rows of a relation `covered (source, row_key)`, each with the hash before it. */
export const packedChain = Prisma.sql`
  select
    link.seq,
    link.source,
    link.row_key,
    coalesce(link.body, ${bodyOf(Prisma.sql`link.source`, Prisma.sql`link.row_key`)}, ${GONE}::jsonb)::text as body,
    coalesce(
      (select encode(earlier.hash, 'hex') from chain_link earlier where earlier.seq = link.seq - 1),
      ${GENESIS.toString('hex')}::text) as before,
    encode(link.hash, 'hex') as hash,
    link.sealed_at
  from covered
  join chain_link link on link.source = covered.source and link.row_key = covered.row_key`;
