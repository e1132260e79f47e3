import type { AccountMonthProblem, Domain } from '@replenish/domain';
import type { Logger } from '@replenish/runtime';
import type { z } from 'zod';
import { requireAccount } from '../auth/refusals.js';
import { type Form, preferredForm } from '../http/answers/answer.js';
import { wantsMark } from '../http/answers/csv.js';
import { invalid, Problem } from '../http/answers/problem.js';
import { addHeader } from '../http/answers/send.js';
import { sendStream } from '../http/answers/stream.js';
import type { KeyedCall } from '../http/operation.js';
import { accountId, validated } from '../input/fields.js';
import { type StatementForm, statementText } from './body.js';
import { csvForm, jsonForm, xmlForm } from './forms.js';
import { period, type StatementQuery } from './input.js';
import { pageForm, pageStyle } from './page.js';
import { languageOf, type StatementLanguage } from './words.js';

export type StatementDeps = Readonly<{ domain: Pick<Domain, 'accountMonths'>; log: Logger }>;

/** GET /v1/accounts/{accountId}/statements/{month} */
export async function readStatement(
  { domain, log }: StatementDeps,
  call: KeyedCall<z.infer<typeof StatementQuery>>,
): Promise<void> {
  const { request, response, key } = call;
  const account = validated(accountId, request.params.accountId, 'accountId');
  requireAccount(key, account);
  const month = validated(period, request.params.month, 'month');
  const { currency } = call.query();
  const opened = await domain.accountMonths.open({ accountId: account, month, currency });
  if (!opened.ok) throw problemOf(opened);
  const language = languageOf(request);
  const form = preferredForm(request, { csv: true });
  addHeader(response, 'vary', 'accept, accept-language');
  addHeader(response, 'content-language', language);
  if (form === 'csv')
    addHeader(response, 'content-disposition', `attachment; filename="${fileName(account, month)}"`);
  const pieces = statementText(
    { accountId: account, period: month, language },
    opened.month,
    forms[form](language, wantsMark(request)),
  );
  await sendStream(response, { ...kindOfBody[form], pieces }, log);
}

const forms: Readonly<Record<Form, (language: StatementLanguage, hasMark: boolean) => StatementForm>> = {
  json: () => jsonForm,
  xml: () => xmlForm,
  csv: (_, hasMark) => csvForm(hasMark),
  html: pageForm,
};

const kindOfBody: Readonly<Record<Form, { contentType: string; pageStyle?: string }>> = {
  json: { contentType: 'application/json; charset=utf-8' },
  xml: { contentType: 'application/xml; charset=utf-8' },
  csv: { contentType: 'text/csv; charset=utf-8' },
  html: { contentType: 'text/html; charset=utf-8', pageStyle },
};

const fileName = (account: string, month: string): string =>
  `statement-${account.replaceAll(':', '_')}-${month}.csv`;

function problemOf(refusal: AccountMonthProblem): Problem {
  if (refusal.problem === 'month_ahead')
    return new Problem(
      'NOT_FOUND',
      `the month has not begun in the account's time zone, ${refusal.timeZone}`,
    );
  const { currencies } = refusal;
  return invalid({
    path: 'currency',
    message:
      currencies.length === 0
        ? 'is needed: nothing was posted to the account yet'
        : `is needed: the account has ${currencies.join(', ')}`,
  });
}
