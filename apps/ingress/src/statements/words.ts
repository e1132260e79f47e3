import type { MonthLine } from '@replenish/domain';
import type { MonthLineKind } from '@replenish/domain/rules';
import type { Request } from 'express';

export const languages = ['en', 'zh'] as const;
export type StatementLanguage = (typeof languages)[number];

/** The language of a statement: the one that Accept-Language prefers, otherwise English. */
export const languageOf = (request: Request): StatementLanguage =>
  (request.acceptsLanguages([...languages]) || 'en') as StatementLanguage;

type Labels = Readonly<{
  title: string;
  account: string;
  currency: string;
  period: string;
  /** The words for a month and the moments between which it lies. */
  month: (month: string, from: string, to: string, timeZone: string) => string;
  asOf: string;
  /** Added to the moment up to which the lines are told, while the month goes on. */
  isOpen: string;
  opening: string;
  closing: string;
  at: string;
  text: string;
  transaction: string;
  amount: string;
  balance: string;
  totals: string;
  /** Added to a currency whose amounts stay in minor units. */
  minorUnits: string;
  nothing: string;
}>;

export const labels: Readonly<Record<StatementLanguage, Labels>> = {
  en: {
    title: 'Statement of account',
    account: 'Account',
    currency: 'Currency',
    period: 'Period',
    month: (month, from, to, timeZone) => `${month}: ${from} up to, and without, ${to} (${timeZone})`,
    asOf: 'As of',
    isOpen: '. The month is not over yet.',
    opening: 'Opening balance',
    closing: 'Closing balance',
    at: 'Time',
    text: 'Text',
    transaction: 'Transaction',
    amount: 'Amount',
    balance: 'Balance',
    totals: 'Totals',
    minorUnits: ' (minor units)',
    nothing: 'Nothing was posted in this month.',
  },
  zh: {
    title: '账户对账单',
    account: '账户',
    currency: '币种',
    period: '期间',
    month: (month, from, to, timeZone) => `${month}，${from} 起，至 ${to} 止（不含），时区 ${timeZone}`,
    asOf: '截至',
    isOpen: '，本月尚未结束',
    opening: '期初余额',
    closing: '期末余额',
    at: '时间',
    text: '摘要',
    transaction: '交易号',
    amount: '金额',
    balance: '余额',
    totals: '合计',
    minorUnits: '（最小货币单位）',
    nothing: '本月没有记账。',
  },
};

export const kindWords: Readonly<Record<StatementLanguage, Readonly<Record<MonthLineKind, string>>>> = {
  en: {
    collect: 'Recharge',
    recall: 'Delivery brought back',
    hold: 'Held',
    reverse: 'Given back',
    adopt: 'Late payment',
    credit: 'Payment booked by hand',
  },
  zh: {
    collect: '充值',
    recall: '划拨收回',
    hold: '冻结',
    reverse: '解冻',
    adopt: '迟到款项入账',
    credit: '人工入账',
  },
};

/** The words for a hold and for its end. They say whether the money was for a delivery or for a refund. */
const purposes: Readonly<
  Record<StatementLanguage, Readonly<Record<'hold' | 'reverse', Readonly<[string, string]>>>>
> = {
  en: {
    hold: ['Held for a delivery', 'Held for a refund'],
    reverse: ['Hold of a delivery given back', 'Hold of a refund given back'],
  },
  zh: { hold: ['划拨冻结', '退款冻结'], reverse: ['划拨解冻', '退款解冻'] },
};

const joints: Readonly<
  Record<StatementLanguage, { order: (o: string) => string; refundOf: (id: string) => string }>
> = {
  en: { order: (order) => `, order ${order}`, refundOf: (id) => `, of ${id}` },
  zh: { order: (order) => `，订单 ${order}`, refundOf: (id) => `，原交易 ${id}` },
};

/** What a line is, in one language. */
export function textOf(line: MonthLine, language: StatementLanguage): string {
  const { kind, of, orderReference, refundOf } = line;
  const head =
    kind === 'hold' || kind === 'reverse'
      ? purposes[language][kind][of === 'refund' ? 1 : 0]
      : kindWords[language][kind];
  const { order, refundOf: ofOriginal } = joints[language];
  return `${head}${orderReference === null ? '' : order(orderReference)}${refundOf === null ? '' : ofOriginal(refundOf)}`;
}
