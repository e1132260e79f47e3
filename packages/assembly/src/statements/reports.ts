import type { StatementLine } from '@replenish/domain';
import { exponentOf } from '@replenish/domain/rules';
import { StatementFault } from './fault.js';

/** The fields of a row, by the names of the first row. */
export type ReportFields = Readonly<Record<string, string | undefined>>;

/** A provider's own form of a statement. It may have more columns than those that are read. */
export type ReportForm = Readonly<{
  needed: readonly string[];
  /** @param at the line of the file, for faults */
  lineOf: (fields: ReportFields, at: number) => StatementLine;
}>;

/** The categories of Stripe that move money of payers. The others, such as payouts and fees, are no recharges. */
const categoriesOfPayers: readonly string[] = [
  'charge',
  'charge_failure',
  'refund',
  'refund_failure',
  'partial_capture_reversal',
  'dispute',
  'dispute_reversal',
];

/**
 * Stripe's itemized report "balance change from activity". Amounts are major units. Our transaction id is there if the
 * columns of the metadata were chosen.
 */
const stripe: ReportForm = {
  needed: ['balance_transaction_id', 'created_utc', 'currency', 'gross', 'reporting_category', 'source_id'],
  lineOf: (fields, at) => {
    const read = reader(fields, at);
    const currency = read.text('currency').toUpperCase();
    const gross = read.money('gross', currency);
    const isRefund = read.text('reporting_category').startsWith('refund');
    return {
      line: read.text('balance_transaction_id'),
      at: read.time('created_utc', 'Z'),
      orderId: (isRefund ? fields.source_id : fields.payment_intent_id) || null,
      reference: fields[`${isRefund ? 'refund' : 'payment'}_metadata[transaction_id]`] || null,
      direction: gross < 0n ? 'out' : 'in',
      amountMinor: gross < 0n ? -gross : gross,
      currency,
      balanceMinor: null,
      isOfProvider: gross === 0n || !categoriesOfPayers.includes(read.text('reporting_category')),
    };
  },
};

const IN = '收入金额（+元）';
const OUT = '支出金额（-元）';

/** The kinds of Alipay's rows that are fees of Alipay, and withdrawals to our bank. */
const kindsOfAlipay: readonly string[] = ['收费', '提现'];

/** Alipay's bill of account movements (账务明细). Times are of China. A refund has no number of its own there. */
const alipay: ReportForm = {
  needed: ['账务流水号', '业务流水号', '商户订单号', '发生时间', IN, OUT, '账户余额（元）', '业务类型'],
  lineOf: (fields, at) => {
    const read = reader(fields, at);
    const [came, went] = [IN, OUT].map((name) => (fields[name] ? read.money(name, 'CNY') : 0n)) as [
      bigint,
      bigint,
    ];
    const kind = read.text('业务类型');
    const isRefund = kind === '交易退款';
    const amountMinor = came !== 0n ? came : went < 0n ? -went : went;
    return {
      line: read.text('账务流水号'),
      at: read.time('发生时间', '+08:00'),
      orderId: (!isRefund && fields.业务流水号) || null,
      reference: (!isRefund && fields.商户订单号) || null,
      direction: came !== 0n ? 'in' : 'out',
      amountMinor,
      currency: 'CNY',
      balanceMinor: read.money('账户余额（元）', 'CNY'),
      isOfProvider: amountMinor === 0n || kindsOfAlipay.includes(kind),
    };
  },
};

// The provider's folder `alibaba-cloud` writes these remarks: a mark, our transaction id, and a proof.
const MARK = /RPL1 ([0-9a-f-]{36}) [0-9a-f]{12}(?![0-9a-z])/gi;

/** Our transaction id in a remark. Null: it has none, or several. */
function referenceIn(remark: string): string | null {
  const [mark, another] = remark.replace(/\s+/g, ' ').matchAll(MARK);
  return mark && !another ? mark[1]! : null;
}

/**
 * The transaction list of a fund account of Alibaba Cloud as a table: its columns have the names of the list's fields
 * (GetFundAccountTransactionDetails). Times are of China. Like the list itself, it has lines of consumption, too.
 */
const alibabaCloud: ReportForm = {
  needed: [
    ...['TransactionNumber', 'TransactionTime', 'TransactionDirection', 'TransactionAmount'],
    ...['Currency', 'Balance', 'Remark'],
  ],
  lineOf: (fields, at) => {
    const read = reader(fields, at);
    const currency = read.text('Currency');
    const amountMinor = read.money('TransactionAmount', currency);
    const number = read.text('TransactionNumber');
    return {
      line: number,
      at: read.time('TransactionTime', '+08:00'),
      orderId: number,
      reference: referenceIn(fields.Remark ?? ''),
      direction: read.oneOf('TransactionDirection', { IN: 'in', OUT: 'out' }),
      // Whether amounts of outgoing rows have a minus sign is not published.
      amountMinor: amountMinor < 0n ? -amountMinor : amountMinor,
      currency,
      balanceMinor: fields.Balance ? read.money('Balance', currency) : null,
      isOfProvider: amountMinor === 0n,
    };
  },
};

const forms: readonly ReportForm[] = [stripe, alipay, alibabaCloud];

/** The form of a file by the names of its first row. Null: it is none of these. */
export const reportForm = (header: readonly string[]): ReportForm | null =>
  forms.find(({ needed }) => needed.every((name) => header.includes(name))) ?? null;

const TIME = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/;
// Alibaba Cloud separates thousands. A separator in another place is not read: 1,00 may be one or a hundred.
const MAJOR = /^([+-]?)(\d{1,15}|\d{1,3}(?:,\d{3}){1,4})(?:\.(\d{1,8}))?$/;

function reader(fields: ReportFields, at: number) {
  const refuse = (column: string, why: string): never => {
    throw new StatementFault(`line ${at}, column ${column}: ${why}`);
  };
  const text = (column: string): string => fields[column] || refuse(column, 'is needed');
  return {
    text,
    oneOf: <T>(column: string, meanings: Readonly<Record<string, T>>): T => {
      const given = text(column);
      return Object.hasOwn(meanings, given)
        ? meanings[given]!
        : refuse(column, `"${given}" is none of ${Object.keys(meanings).join(', ')}`);
    },
    time: (column: string, zone: string): Date => {
      const given = text(column);
      const time = new Date(TIME.test(given) ? `${given.replace(' ', 'T')}${zone}` : Number.NaN);
      return Number.isNaN(time.getTime()) ? refuse(column, `"${given}" is no time`) : time;
    },
    /** Minor units of an amount in major units. Digits beyond the currency's must be zeros. */
    money: (column: string, currency: string): bigint => {
      const digits = exponentOf(currency) ?? refuse('currency', `"${currency}" is no ISO 4217 code`);
      const [, sign, whole, fraction = ''] = MAJOR.exec(text(column)) ?? [];
      if (whole === undefined || /[1-9]/.test(fraction.slice(digits)))
        return refuse(column, `"${text(column)}" is no amount in ${currency}`);
      const minor = BigInt(whole.replaceAll(',', '') + fraction.slice(0, digits).padEnd(digits, '0'));
      return sign === '-' ? -minor : minor;
    },
  };
}
