import { exactJson } from '../http/answers/answer.js';
import { csvHead, csvRows } from '../http/answers/csv.js';
import { element, escaped, XML_DECLARATION } from '../http/answers/xml-write.js';
import type { StatementForm } from './body.js';

export const jsonForm: StatementForm = {
  head: (head) => `${exactJson(head).slice(0, -1)},"lines":[`,
  rows: (rows, isFirst) => `${isFirst ? '' : ','}${rows.map((row) => exactJson(row)).join(',')}`,
  foot: (foot) => `],${exactJson(foot).slice(1)}`,
};

export const xmlForm: StatementForm = {
  head: (head) => `${XML_DECLARATION}<statement>${fields(head)}<lines>`,
  rows: (rows) => rows.map((row) => element('item', row)).join(''),
  foot: (foot) => `</lines>${fields(foot)}</statement>`,
};

const fields = (body: object): string =>
  Object.entries(body)
    .map(([name, value]) => element(escaped(name), value))
    .join('');

const columns = ['at', 'kind', 'transactionId', 'amount', 'balance', 'currency', 'text'] as const;

/** The lines between a row `opening` and a row `closing`, which have a balance and no amount. */
export function csvForm(hasMark: boolean): StatementForm {
  let currency = '';
  let endsAt: Date;
  const bound = (kind: string, at: Date, balance: bigint): string =>
    csvRows(columns, [{ at, kind, transactionId: '', amount: '', balance, currency, text: '' }]);
  return {
    head: (head) => {
      currency = head.currency;
      endsAt = new Date(Math.min(head.asOf.getTime(), head.to.getTime()));
      return csvHead(columns, hasMark) + bound('opening', head.from, head.opening);
    },
    rows: (rows) =>
      csvRows(
        columns,
        rows.map((row) => ({ ...row, currency })),
      ),
    foot: ({ closing }) => bound('closing', endsAt, closing),
  };
}
