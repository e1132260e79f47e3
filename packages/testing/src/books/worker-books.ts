import { type Domain, type NewRecharge, type News, openDomain } from '@replenish/domain';
import { type Logger, newId } from '@replenish/runtime';
import pg from 'pg';
import { createDatabase } from '../fleet/database.js';

export const RECONCILE_AFTER_MS = 60_000;
const CLIENT = '00000000-0000-7000-8000-00000000000a';

type LogRecord = Readonly<{ level: string; message: string } & Record<string, unknown>>;

/**
 * A recharge from its row. `dueAfterMs` counts from the last transition. It is rounded to whole seconds, because the
 * row is locked a little later than its statement begins.
 */
export type RechargeRow = Readonly<{
  state: string;
  confirmation: string | null;
  nextStep: string | null;
  attempt: number;
  orderId: string | null;
  dueAfterMs: number | null;
}>;

export type CallRow = Readonly<{
  operation: string;
  attempt: number;
  outcome: string | null;
  code: string | null;
  status: number | null;
  ended: boolean;
}>;

/** The surroundings of a worker: the real domain on a database of its own, and the worker's log. */
export interface WorkerBooks {
  readonly domain: Domain;
  readonly log: Logger;
  readonly logged: readonly LogRecord[];
  rows<Row extends object = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Creates a recharge and reports `news` about it, one after the other, as its submission. Returns its id. */
  recharged(over: Partial<NewRecharge>, ...news: readonly News[]): Promise<string>;
  recharge(id: string): Promise<RechargeRow>;
  calls(id: string): Promise<CallRow[]>;
  /** The kinds of the cases of a recharge, or of an event named `<provider>:<event id>`. */
  cases(subject: string): Promise<string[]>;
  /** Refuses each transition of one recharge with this news, until `heal`. */
  refuse(id: string, news: News, sqlState?: string): Promise<void>;
  heal(): Promise<void>;
  close(): Promise<void>;
}

export async function openWorkerBooks(): Promise<WorkerBooks> {
  const database = await createDatabase();
  // A `random` of 0.5 makes all jitter zero, so gaps are exact.
  const domain = openDomain({
    databaseUrl: database.url,
    poolMax: 4,
    reconcileAfterMs: RECONCILE_AFTER_MS,
    providerTimeoutMs: 1_000,
    random: () => 0.5,
  });
  const sql = new pg.Pool({ connectionString: database.url, max: 2 });
  // Dropping the database ends connections, and each reports an error here.
  sql.on('error', () => {});
  const logged: LogRecord[] = [];
  await sql.query(`insert into client (id, name, env) values ($1, 'books', 'test')`, [CLIENT]);
  const rows = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await sql.query<Row>(text, values)).rows;
  return {
    domain,
    log: recorder(logged),
    logged,
    rows,
    recharged: (over, ...news) => recharged(domain, over, news),
    recharge: async (id) => (await rows<RechargeRow>(rechargeRow, [id]))[0]!,
    calls: (id) => rows<CallRow>(callRows, [id]),
    cases: async (subject) => (await rows<{ kind: string }>(caseRows, [subject])).map(({ kind }) => kind),
    refuse: async (id, news, sqlState = 'P0001') => void (await rows(refusal(id, news, sqlState))),
    heal: async () => void (await rows('drop function if exists refuse_news cascade')),
    close: async () => {
      await Promise.all([sql.end(), domain.close()]);
      await database.release();
    },
  };
}

const rechargeRow = `
  select t.state, t.confirmation, t.next_step as "nextStep", t.attempt, t.provider_order_id as "orderId",
    (round(extract(epoch from t.due_at - coalesce(x.at, t.created_at))) * 1000)::float8 as "dueAfterMs"
  from recharge_transaction t left join transition x on x.transaction_id = t.id and x.seq = t.seq
  where t.id = $1`;

const callRows = `
  select operation, attempt, outcome, provider_code as code, http_status as status, ended_at is not null as ended
  from provider_call where transaction_id = $1 order by started_at, id`;

const caseRows = 'select kind from reconciliation_case where subject = $1 order by opened_at, kind';

const refusal = (id: string, news: News, sqlState: string): string => `
  create function refuse_news() returns trigger language plpgsql as $$
  begin raise exception 'as tested' using errcode = '${sqlState}'; end $$;
  create trigger refuse_news before insert on transition for each row
    when (new.transaction_id = '${id}' and new.news = '${news}') execute function refuse_news()`;

async function recharged(domain: Domain, over: Partial<NewRecharge>, news: readonly News[]): Promise<string> {
  const ask = newRecharge(over);
  const created = await domain.createRecharge(ask);
  if (!created.ok) throw new Error(created.problem);
  for (const heard of news)
    await domain.applyNews({ transactionId: ask.id, news: heard, source: 'submission', reason: 'as tested' });
  return ask.id;
}

/** A request as the ingress passes it on, with the changes of a test. */
export function newRecharge(over: Partial<NewRecharge> = {}): NewRecharge {
  const id = over.id ?? newId();
  return {
    id,
    clientId: CLIENT,
    idempotencyKey: `key-${id}`,
    accountId: 'acct-1',
    kind: 'collect',
    amountMinor: 4_999n,
    currency: 'USD',
    paymentMethod: 'sandbox',
    provider: 'sandbox',
    metadata: {},
    requestedAt: null,
    correlationId: 'c-1',
    ...over,
  };
}

function recorder(logged: LogRecord[]): Logger {
  const write = (level: string) => (fields: object, message: string) =>
    void logged.push({ ...fields, level, message });
  return { info: write('info'), warn: write('warn'), error: write('error') } as unknown as Logger;
}
