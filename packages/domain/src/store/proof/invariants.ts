import { type Invariant, moneyInvariants } from './money-invariants.js';

/**
 * Each query returns the rows that break the invariant, as text. The names are stable, because alerts and run books use
 * them.
 */
export const invariants: Readonly<Record<string, Invariant>> = {
  one_transaction_a_key: {
    meaning: 'a client and an idempotency key stand for one transaction',
    sql: `select client_id || ' ' || idempotency_key as broken from recharge_request
      group by client_id, idempotency_key having count(*) > 1`,
  },
  request_and_transaction: {
    meaning: 'every request has its transaction and every transaction its request',
    sql: `select coalesce(request.transaction_id, recharge.id)::text as broken from recharge_request request
      full join recharge_transaction recharge on recharge.id = request.transaction_id
      where request.transaction_id is null or recharge.id is null`,
  },
  known_client: {
    meaning: 'every recharge belongs to a client that exists',
    sql: `select recharge.id::text as broken from recharge_transaction recharge
      where not exists (select from client where client.id = recharge.client_id)`,
  },
  same_client: {
    meaning: 'a request and its transaction are of one client',
    sql: `select recharge.id::text as broken from recharge_transaction recharge
      join recharge_request request on request.transaction_id = recharge.id
      where request.client_id <> recharge.client_id`,
  },
  ...moneyInvariants,
  legal_chain: {
    meaning:
      'transitions have no gap, each begins in the state that the previous one led to, and each move is legal',
    sql: `select transaction_id || ' #' || seq as broken from (
        select transaction_id, seq, verdict, from_state, to_state,
          lag(seq, 1, 0) over chain as last_seq, lag(to_state, 1, 'CREATED') over chain as last_state
        from transition window chain as (partition by transaction_id order by seq)) step
      where seq <> last_seq + 1 or from_state <> last_state
        or (verdict = 'moved' and not is_legal_move(from_state, to_state) and from_state <> to_state)`,
  },
  state_is_last_transition: {
    meaning: 'the state is the one that the last transition led to',
    sql: `select recharge.id::text as broken from recharge_transaction recharge
      left join transition last on last.transaction_id = recharge.id and last.seq = recharge.seq
      where coalesce(last.to_state, 'CREATED') <> recharge.state`,
  },
  nothing_forgotten: {
    meaning: 'every unfinished recharge and every unprocessed event has a due time',
    sql: `select id::text as broken from recharge_transaction
        where due_at is null and state not in ('SUCCEEDED', 'FAILED', 'CANCELED')
      union all select id::text from webhook_event where processed_at is null and due_at is null`,
  },
  submitted_has_attempt: {
    meaning: 'a recharge has a time of submission exactly if it has an attempt',
    sql: `select recharge.id::text as broken from recharge_transaction recharge
      where (recharge.submitted_at is not null) <> (recharge.attempt > 0)
        or (recharge.attempt = 0 and recharge.state not in ('CREATED', 'CANCELED')
          -- Money of a canceled recharge that a person credited.
          and not exists (
            select from ledger_journal journal
            where journal.transaction_id = recharge.id and journal.slot = 'adopt'))`,
  },
  intent_before_effect: {
    meaning: 'a recharge has a submit call on record for each attempt, and no other',
    sql: `select recharge.id::text as broken from recharge_transaction recharge
      where recharge.attempt <> (select count(distinct call.attempt) from provider_call call
        where call.transaction_id = recharge.id and call.operation = 'submit')`,
  },
  conflict_has_case: {
    meaning: 'every conflict that was filed has a case, open or closed',
    sql: `select distinct conflict.transaction_id::text as broken from transition conflict
      where conflict.verdict = 'conflict'
        and not exists (
          select from reconciliation_case some_case where some_case.transaction_id = conflict.transaction_id)`,
  },
  plans_are_counted: {
    meaning: 'the counts of a plan are its lines by status, and their amounts',
    sql: `select coalesce(kept.plan_id, found.plan_id) || ' ' || coalesce(kept.status, found.status) || ': '
        || coalesce(kept.lines, 0) || ' lines of ' || coalesce(kept.minor, 0) || ' kept, '
        || coalesce(found.lines, 0) || ' of ' || coalesce(found.minor, 0) || ' found' as broken
      from (
        select plan_id, status, sum(lines) as lines, sum(minor) as minor
        from recharge_plan_count
        cross join lateral (values ('accepted', accepted_lines, accepted_minor),
          ('in_progress', in_progress_lines, in_progress_minor), ('succeeded', succeeded_lines, succeeded_minor),
          ('failed', failed_lines, failed_minor), ('canceled', canceled_lines, canceled_minor)) as one(status, lines, minor)
        group by 1, 2) kept
      full join (
        select plan_id, status, count(*) as lines, sum(amount) as minor from report.plan_lines
        where status <> 'not_started' group by 1, 2) found
      on found.plan_id = kept.plan_id and found.status = kept.status
      where (coalesce(kept.lines, 0), coalesce(kept.minor, 0)) <> (coalesce(found.lines, 0), coalesce(found.minor, 0))`,
  },
};
