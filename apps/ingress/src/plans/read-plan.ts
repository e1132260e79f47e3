import {
  amountIn,
  checkedLines,
  type LineRules,
  type PlanFault,
  planRows,
  type SortingProviders,
  sortOfRecharge,
} from '@replenish/assembly';
import type { Key, PlanLine } from '@replenish/domain';
import { paymentMethods } from '@replenish/providers';
import type { Request } from 'express';
import type { z } from 'zod';
import { coversAccount } from '../auth/account-patterns.js';
import { invalid, Problem } from '../http/answers/problem.js';
import { callOf } from '../http/call.js';
import { charsetsOf } from '../http/media-type.js';
import type { KeyedCall } from '../http/operation.js';
import { formOfBody, rawBody } from '../input/bodies/body.js';
import { parseJson } from '../input/bodies/json-body.js';
import { parseXmlList } from '../input/bodies/xml-read.js';
import { validated } from '../input/fields.js';
import { type PlanQuery, planText } from './input.js';

/** The largest body of a plan. 10,000 lines with long references take some 4 MB as JSON. */
export const PLAN_BODY_MAX_BYTES = 8 * 1_024 * 1_024;

// The most faults in one answer.
const FAULTS_MAX = 1_000;
const FAULTS_IN_DETAIL = 3;

export type SentPlan = Readonly<{
  name: string;
  budgetMinor: bigint | null;
  canaryMinor: bigint | null;
  currency: string;
  totalMinor: bigint;
  lines: readonly PlanLine[];
  /** Where a line stands in its file. */
  placeOf?: (index: number) => string;
}>;

type PlanBody = Readonly<{
  fields: Readonly<Record<string, unknown>>;
  lines: readonly unknown[];
  isText: boolean;
  placeOf?: (index: number) => string;
}>;

type ReadDeps = Readonly<{ providers: SortingProviders }>;

/**
 * Reads a plan from JSON, XML or CSV, and checks all its lines together.
 * @throws Problem that names each fault by line and column
 */
export async function readPlan(
  { providers }: ReadDeps,
  call: Pick<KeyedCall<z.infer<typeof PlanQuery>>, 'request' | 'response' | 'key' | 'query'>,
): Promise<SentPlan> {
  const query = call.query();
  const { fields, lines: given, ...form } = await bodyOf(call.request);
  const name = validated(planText, agreed('name', query.name, fields.name), 'name');
  callOf(call.response).read = { name };
  const minorOf = (path: 'budget' | 'canary') =>
    agreed(path, query[path], minorIn(path, fields[path], form.isText)) ?? null;
  const [budgetMinor, canaryMinor] = [minorOf('budget'), minorOf('canary')];
  const checked = checkedLines(given, {
    ...form,
    paymentMethods,
    unroutable: (asked) => {
      const sort = sortOfRecharge(providers, asked);
      return 'message' in sort ? sort : null;
    },
    wrongText,
  });
  if (!checked.ok) throw faulty(checked.faults);
  const { currency, totalMinor, lines } = checked;
  if (totalMinor > BigInt(Number.MAX_SAFE_INTEGER))
    throw invalid({ path: 'lines', message: 'add up to more than 2^53 - 1 minor units' });
  const sent = { name, budgetMinor, canaryMinor, currency, totalMinor, lines };
  return { ...sent, ...(form.placeOf && { placeOf: form.placeOf }) };
}

async function bodyOf(request: Request): Promise<PlanBody> {
  const form = formOfBody(request);
  const raw = rawBody(request);
  if (form === 'csv') {
    const read = await planRows(raw, charsetOf(request));
    if (!read.ok) throw faulty(read.faults);
    return { fields: {}, lines: read.rows, isText: true, placeOf: read.placeOf };
  }
  const isText = form === 'xml';
  const value = isText
    ? await parseXmlList(raw, 'plan', { field: 'lines', item: 'line' })
    : await parseJson(raw);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid({ path: '', message: 'must be an object' });
  const { lines, ...fields } = value as Record<string, unknown>;
  const unknown = Object.keys(fields).filter((name) => !['name', 'budget', 'canary'].includes(name));
  if (unknown.length > 0)
    throw invalid(...unknown.slice(0, 20).map((path) => ({ path, message: 'is not a known field' })));
  if (lines !== undefined && !Array.isArray(lines))
    throw invalid({ path: 'lines', message: 'must be a list' });
  return { fields, lines: lines ?? [], isText };
}

function charsetOf(request: Request): string | undefined {
  const [charset] = charsetsOf(request.headers['content-type'] ?? '');
  if (charset === undefined) return undefined;
  try {
    return new TextDecoder(charset).encoding;
  } catch {
    throw new Problem('INVALID_ARGUMENT', `the charset ${charset} is not known`, { status: 415 });
  }
}

/** A value that may stand in the query or in the body. */
function agreed<Value>(
  path: string,
  inQuery: Value | undefined,
  inBody: Value | undefined,
): Value | undefined {
  if (inQuery !== undefined && inBody !== undefined && inQuery !== inBody)
    throw invalid({ path, message: `differs between the query and the body` });
  return inQuery ?? inBody;
}

function minorIn(path: string, given: unknown, isText: boolean): bigint | undefined {
  if (given === undefined || (isText && given === '')) return undefined;
  const amount = amountIn(given, isText);
  if (typeof amount === 'string') throw invalid({ path, message: amount });
  return amount;
}

const wrongText: LineRules['wrongText'] = (value) => {
  const { error } = planText.safeParse(value);
  return error?.issues[0]?.message ?? null;
};

/** The lines whose accounts the key does not cover. */
export const foreignLines = (key: Key, { lines, placeOf }: SentPlan): PlanFault[] =>
  lines.flatMap(({ line, accountId }, index): PlanFault[] => {
    if (coversAccount(key, accountId)) return [];
    const where = placeOf ? ` (${placeOf(index)})` : '';
    const message = `line ${line}${where}: the key does not cover this account`;
    return [{ index, column: 'accountId', message }];
  });

/** Says that the lines add up to more than the budget. Null: they do not, or there is none. */
export const overBudget = ({ budgetMinor, totalMinor, currency }: SentPlan): string | null =>
  budgetMinor !== null && totalMinor > budgetMinor
    ? `is ${budgetMinor}, and the lines add up to ${totalMinor} ${currency} in minor units`
    : null;

/** @throws Problem if the key does not cover each account, or the sum is above the budget */
export function refuseUnfit(key: Key, plan: SentPlan): void {
  const foreign = foreignLines(key, plan);
  if (foreign.length > 0) throw faulty(foreign, 'UNAUTHORIZED');
  const message = overBudget(plan);
  if (message !== null) throw invalid({ path: 'budget', message });
}

function faulty(
  faults: readonly PlanFault[],
  code: 'INVALID_ARGUMENT' | 'UNAUTHORIZED' = 'INVALID_ARGUMENT',
): Problem {
  const errors = faults.slice(0, FAULTS_MAX).map(({ index, column, message }) => ({
    path: index === null ? column : ['lines', index, ...(column ? [column] : [])].join('.'),
    message: index === null || column === '' ? message : message.replace(': ', `, column ${column}: `),
  }));
  const shown = errors.slice(0, FAULTS_IN_DETAIL).map(({ path, message }) => `${path || 'body'}: ${message}`);
  const rest = faults.length - shown.length;
  const detail = `nothing is stored: ${shown.join('; ')}${rest > 0 ? `; and ${rest} more faults` : ''}`;
  return new Problem(code, detail, {
    errors,
    ...(code === 'UNAUTHORIZED' && { suspicion: 'foreign_account' as const }),
  });
}
