import { createHash } from 'node:crypto';
import { Prisma } from '../../generated/client.js';

/** What a link says about one row. `body` is the row's text at the time when it was noted. */
export type Said = Readonly<{ source: string; rowKey: string; body: string }>;

/** The body of a row that was deleted before it was sealed. */
export const GONE = 'null';

/** The hash before the first link. */
export const GENESIS = Buffer.alloc(32);

/** The hash of a link covers the hash before it, so a change of any row changes every hash after it. */
export const hashOf = (before: Uint8Array, { source, rowKey, body }: Said): Buffer =>
  createHash('sha256').update(before).update(`${source}\n${rowKey}\n${body}`).digest();

/** The newest link: the number of rows in the chain, and the hash over all of them. */
export type Head = Readonly<{ seq: bigint; hash: string; sealedAt: Date | null }>;

const uuidIn = (text: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`case when pg_input_is_valid(${text}, 'uuid') then ${text}::uuid end`;

/**
 * What is hashed of a row, if its link keeps no body. A column that is added later must not join it: the hashes of old
 * rows would change. Times are milliseconds, because the text of a time depends on the session's time zone. A key that
 * somebody made unreadable is the key of no row.
 * @param source the column with the source of the row
 * @param key the column with the key of the row
 */
export const bodyOf = (source: Prisma.Sql, key: Prisma.Sql): Prisma.Sql => Prisma.sql`
    case ${source}
      when 'journal' then (
        select jsonb_build_array(journal.transaction_id, journal.slot, chain_ms(journal.at), (
          select jsonb_agg(
            jsonb_build_array(
              entry.id,
              entry.transaction_id,
              entry.debit_account,
              entry.credit_account,
              entry.amount_minor,
              entry.currency,
              entry.debit_balance_minor,
              entry.credit_balance_minor,
              chain_ms(entry.at))
            order by entry.id)
          from ledger_entry entry
          where entry.journal_id = journal.id))
        from ledger_journal journal
        where journal.id = ${uuidIn(key)})
      when 'transition' then (
        select jsonb_build_array(
          step.news,
          step.verdict,
          step.from_state,
          step.to_state,
          step.source,
          step.reason,
          chain_ms(step.at))
        from transition step
        where step.transaction_id = ${uuidIn(Prisma.sql`split_part(${key}, ' ', 1)`)} and step.seq::text = split_part(${key}, ' ', 2))
      when 'action' then (
        select jsonb_build_array(
          action.transaction_id,
          action.case_id,
          action.actor,
          action.role,
          action.verb,
          action.subject,
          action.reason,
          action.evidence,
          chain_ms(action.at))
        from operator_action action
        where action.id = ${uuidIn(key)})
    end`;
