import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { Domain, PlanProblem, PlanProgress } from '@replenish/domain';
import { hasCardNumber } from '@replenish/domain/rules';
import type { Env } from '@replenish/runtime';
import { withProviders } from '../../books.js';
import { Misuse } from '../../command.js';

type PlanWishes = Readonly<{
  client?: string | undefined;
  name?: string | undefined;
  budget?: bigint | undefined;
  canary?: bigint | undefined;
  charset?: string | undefined;
}>;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const FAULTS_SHOWN_MAX = 20;
const NAME_MAX = 255;

/** The plan with the given id, or the plan that the client made from the file. Null: there is none yet. */
export async function wantedPlan(
  domain: Domain,
  given: string,
  { client, name = nameOf(given) }: PlanWishes,
): Promise<PlanProgress | null> {
  if (UUID.test(given)) return domain.plans.one(given.toLowerCase(), null);
  return domain.plans.named(await clientIdOf(domain, client), name);
}

/** Stores the plan in a file, or finds it. @throws Misuse that names each line at fault */
export async function storedPlan(
  { env, domain }: Readonly<{ env: Env; domain: Domain }>,
  file: string,
  { client, name = nameOf(file), budget, canary, charset }: PlanWishes,
): Promise<PlanProgress> {
  const clientId = await clientIdOf(domain, client);
  const checked = await linesIn(env, file, charset);
  if (budget !== undefined && checked.totalMinor > budget)
    throw new Misuse(
      `the lines add up to ${checked.totalMinor} ${checked.currency}, which is above the budget`,
    );
  const { newId } = await import('@replenish/runtime');
  const { ok: _, ...sums } = checked;
  const created = await domain.plans.create({
    ...{ ...sums, id: newId(), clientId, name: name.slice(0, NAME_MAX), budgetMinor: budget ?? null },
    canaryMinor: canary ?? null,
    ...{ idempotencyKey: null, createdBy: 'operator', correlationId: newId() },
  });
  if (!created.ok) throw new Error(problems[created.problem]);
  return (await domain.plans.one(created.plan.id, null))!;
}

const problems: Readonly<Record<PlanProblem, string>> = {
  unknown_client: 'there is no such client',
  key_used_with_other_body: 'another plan has this key',
  name_taken:
    'another plan of the client has this name, with other lines, another budget or another canary: give a --name',
};

const nameOf = (file: string): string => basename(file, extname(file));

async function clientIdOf({ clients }: Domain, client: string | undefined): Promise<string> {
  if (client === undefined)
    throw new Misuse('--client is needed with a file: the id or the name of a client');
  const known = await clients.list();
  const ids = new Set(
    known
      .filter(({ clientId, clientName }) => clientId === client || clientName === client)
      .map((key) => key.clientId),
  );
  if (ids.size > 1) throw new Misuse(`several clients are named ${client}: give the id`);
  const [id] = ids;
  if (id === undefined) throw new Misuse(`there is no client ${client}: replenish client list shows them`);
  return id;
}

async function linesIn(env: Env, file: string, charset: string | undefined) {
  const { checkedLines, sortOfRecharge } = await import('@replenish/assembly');
  const { paymentMethods } = await import('@replenish/providers');
  const bytes = await readFile(file).catch((error: Error) => {
    throw new Misuse(`${file} cannot be read: ${error.message}`);
  });
  const isText = extname(file).toLowerCase() !== '.json';
  const { given, placeOf } = isText ? await rowsOfCsv(bytes, charset) : await linesOfJson(file, bytes);
  const checked = await withProviders(env, async (providers) =>
    checkedLines(given, {
      isText,
      paymentMethods,
      unroutable: (asked) => {
        const sort = sortOfRecharge(providers, asked);
        return 'message' in sort ? sort : null;
      },
      wrongText,
      ...(placeOf && { placeOf }),
    }),
  );
  if (!checked.ok) throw faulty(checked.faults);
  return checked;
}

function wrongText(text: string): string | null {
  if (text.length > NAME_MAX || !/^[^\p{Cc}\p{Cs}]*$/u.test(text))
    return `must be ${NAME_MAX} characters at most, without control characters`;
  return hasCardNumber(text) ? 'must not contain what may be the number of a payment card' : null;
}

type GivenLines = Readonly<{ given: readonly unknown[]; placeOf?: (index: number) => string }>;

async function rowsOfCsv(bytes: Uint8Array, charset: string | undefined): Promise<GivenLines> {
  const { planRows } = await import('@replenish/assembly');
  const read = await planRows(bytes, charset);
  if (!read.ok) throw faulty(read.faults);
  return { given: read.rows, placeOf: read.placeOf };
}

async function linesOfJson(file: string, bytes: Uint8Array): Promise<GivenLines> {
  const { planJson } = await import('@replenish/assembly');
  const read = planJson(bytes);
  if (!read.ok) throw new Misuse(`${file} ${read.message}`);
  return { given: read.lines };
}

function faulty(faults: readonly Readonly<{ column: string; message: string }>[]): Misuse {
  const shown = faults.slice(0, FAULTS_SHOWN_MAX).map(({ column, message }) => `\n  ${column} ${message}`);
  const rest = faults.length - shown.length;
  return new Misuse(
    `nothing is stored, because the file has faults:${shown.join('')}${rest > 0 ? `\n  and ${rest} more` : ''}`,
  );
}
