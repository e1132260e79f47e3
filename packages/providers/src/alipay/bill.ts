import { Readable } from 'node:stream';
import type { ProviderLine } from '../contract/statement.js';
import { fromYuan } from './amounts.js';
import { referenceOf } from './numbers.js';

const NUMBER = '支付宝交易号';
const OURS = '商户订单号';
const KIND = '业务类型';
const ENDED_AT = '完成时间';
const AMOUNT = '订单金额（元）';
const RECEIVED = '商家实收（元）';
const REFUND_NUMBER = '退款批次号/请求号';
const needed = [NUMBER, OURS, KIND, ENDED_AT, AMOUNT, RECEIVED, REFUND_NUMBER, '服务费（元）'];

/** The first line of the list of trades and refunds. The other file of a bill has sums per shop. */
const TITLE = '#支付宝业务明细查询';
const END = '业务明细列表结束';

type BillSide = 'in' | 'out';
const sides: Readonly<Record<string, BillSide>> = { 交易: 'in', 退款: 'out' };
const totalForms: Readonly<Record<BillSide, RegExp>> = {
  in: /^#交易合计：(\d{1,9})笔，商家实收共(-?[\d.]+)元/,
  out: /^#退款合计：(\d{1,9})笔，商家实收退款共(-?[\d.]+)元/,
};

/** `malformed`: it is the list, and it cannot be read or is not complete. `other`: it is another file of the bill. */
export type ReadBill = readonly ProviderLine[] | 'malformed' | 'other';

/**
 * The lines of a bill of type `trade`, in order of time. It is malformed when a row cannot be read, when the end of the
 * list is missing, or when the rows are not those that the totals at the end count: a bill that was cut must not look
 * complete.
 * @throws for bytes that are no CSV in GB 18030
 */
export async function readBill(file: Readable): Promise<ReadBill> {
  const { parse } = await import('csv-parse');
  const parser = parse({
    ...{ bom: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true, trim: true },
    max_record_size: 16_384,
  });
  const text = Readable.from(textOf(file));
  text.once('error', (error) => parser.destroy(error)).pipe(parser);
  const bill = new Bill();
  try {
    for await (const row of parser as AsyncIterable<string[]>) {
      const refusal = bill.take(row);
      if (refusal) return refusal;
    }
  } finally {
    text.destroy();
  }
  return bill.lines();
}

async function* textOf(file: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('gb18030', { fatal: true });
  for await (const piece of file) yield decoder.decode(piece, { stream: true });
  yield decoder.decode();
}

/** The number of rows of a kind, and the sum of what we received for them. */
type BillTotal = { count: number; receivedFen: bigint };

/** A bill while it is read, row by row. */
class Bill {
  #names: readonly string[] | null = null;
  #isTitled = false;
  #hasEnded = false;
  readonly #lines: ProviderLine[] = [];
  readonly #read: Record<BillSide, BillTotal> = {
    in: { count: 0, receivedFen: 0n },
    out: { count: 0, receivedFen: 0n },
  };
  readonly #said: Partial<Record<BillSide, BillTotal>> = {};

  /** Takes the next row. Not null: no more rows are needed. */
  take(row: readonly string[]): 'malformed' | 'other' | null {
    const first = row[0] ?? '';
    if (!this.#isTitled) {
      this.#isTitled = first === TITLE;
      return this.#isTitled ? null : 'other';
    }
    if (first.startsWith('#')) return this.#comment(row.join(','));
    if (this.#names === null) {
      this.#names = row;
      return needed.every((name) => row.includes(name)) ? null : 'malformed';
    }
    const line = this.#hasEnded || row.length !== this.#names.length ? null : this.#line(row);
    if (line === null) return 'malformed';
    this.#lines.push(line);
    return null;
  }

  lines(): ReadBill {
    if (!this.#isTitled) return 'other';
    const isComplete = (['in', 'out'] as const).every((side) => {
      const [read, said] = [this.#read[side], this.#said[side]];
      return read.count === said?.count && read.receivedFen === said.receivedFen;
    });
    if (!this.#hasEnded || !isComplete) return 'malformed';
    return this.#lines.sort((a, b) => a.at.getTime() - b.at.getTime());
  }

  #comment(text: string): 'malformed' | null {
    this.#hasEnded ||= text.includes(END);
    for (const side of ['in', 'out'] as const) {
      const [, count, received] = totalForms[side].exec(text) ?? [];
      if (count === undefined) continue;
      const receivedFen = fenOf(received);
      if (receivedFen === null) return 'malformed';
      this.#said[side] = { count: Number(count), receivedFen };
    }
    return null;
  }

  /** Null when the row has another form: a row that is skipped could be one of ours. */
  #line(row: readonly string[]): ProviderLine | null {
    const field = (name: string): string => row[this.#names!.indexOf(name)]!;
    const direction = Object.hasOwn(sides, field(KIND)) ? sides[field(KIND)]! : null;
    const [amount, received, at] = [fenOf(field(AMOUNT)), fenOf(field(RECEIVED)), timeOf(field(ENDED_AT))];
    if (direction === null || amount === null || received === null || at === null) return null;
    const amountMinor = direction === 'in' ? amount : -amount;
    if (field(NUMBER) === '' || amountMinor <= 0n) return null;
    this.#read[direction].count++;
    this.#read[direction].receivedFen += received;
    const order = direction === 'in' ? field(OURS) : field(REFUND_NUMBER);
    return {
      line: direction === 'in' ? field(NUMBER) : `${field(NUMBER)}/${order || at.toISOString()}`,
      ...{ at, direction, amountMinor, currency: 'CNY', balanceMinor: null },
      orderId: order || null,
      reference: referenceOf(order),
    };
  }
}

/** The fen of an amount in yuan, which may be below zero. Null for any other form. */
function fenOf(yuan: string | undefined): bigint | null {
  const fen = fromYuan(yuan?.replace(/^-/, ''));
  return fen !== null && yuan?.startsWith('-') ? -fen : fen;
}

const TIME = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/;

/** A time of a bill has no zone and means UTC+8. Null: it has another form. */
function timeOf(text: string): Date | null {
  const at = new Date(TIME.test(text) ? `${text.replace(' ', 'T')}+08:00` : Number.NaN);
  return Number.isNaN(at.getTime()) ? null : at;
}
