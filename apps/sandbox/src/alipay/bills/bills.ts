import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import { encode } from 'iconv-lite';
import type { Behaviors } from '../../machine/behaviors.js';
import { type AlipayBehavior, AlipayFault } from '../faults.js';
import type { BizContent } from '../machine.js';
import type { AlipayStore } from '../store.js';
import { type BillRow, billTexts } from './text.js';
import { zipped } from './zip.js';

export const BILL_QUERY = 'alipay.data.dataservice.bill.downloadurl.query';
/** The path of the address of a bill, as at Alipay. */
export const BILL_PATH = '/downloadBillFile.resource';

const ADDRESS_VALID_MS = 30_000;
const DAY_MS = 86_400_000;
// A host name that is reserved for documentation, so nothing answers there.
const ELSEWHERE = 'http://bills.example.com';

// Alipay's documents have other codes. These were seen in answers.
const invalid = (message: string) => new AlipayFault('invalid_arguments', message);
const notThere = () => new AlipayFault('isp.bill_not_exist', 'the bill does not exist');

type BillParts = Readonly<{ store: AlipayStore; behaviors: Behaviors<AlipayBehavior>; sellerId: string }>;

/** The bills of the simulated merchant, one per day in China. */
export class Bills {
  readonly #parts: BillParts;
  /** How far the clock of bills is ahead. With it a test gets the bill of today, as if the day were over. */
  aheadMs = 0;

  constructor(parts: BillParts) {
    this.#parts = parts;
  }

  /** The answer with the address of a bill. @throws AlipayFault if there is no such bill */
  addressOf({ bill_type: type, bill_date: day }: BizContent, host: string): object {
    const { store, behaviors } = this.#parts;
    if (type !== 'trade') throw invalid('bill_type: the simulator has trade only');
    const begin = typeof day === 'string' && /^\d{4}-\d\d-\d\d$/.test(day) ? beginOf(day) : Number.NaN;
    if (Number.isNaN(begin)) throw invalid('bill_date: must be yyyy-MM-dd');
    if (begin + DAY_MS > Date.now() + this.aheadMs) throw invalid('bill_date: the day is not over');
    if (behaviors.take(['bill_late'], null) || this.#rowsOf(day as string).length === 0) throw notThere();
    const fileId = randomBytes(24).toString('hex');
    const expiresMs = Date.now() + ADDRESS_VALID_MS;
    for (const { key, value } of [...store.bills.getRange()])
      if (value.expiresMs < Date.now()) store.bills.removeSync(key);
    store.bills.putSync(fileId, { day: day as string, expiresMs });
    const origin = behaviors.take(['bill_elsewhere'], null) ? ELSEWHERE : `http://${host}`;
    return { bill_download_url: `${origin}${BILL_PATH}?${this.#query(day as string, fileId)}` };
  }

  #query(day: string, fileId: string): URLSearchParams {
    const { sellerId } = this.#parts;
    const dates = day.replaceAll('-', '');
    const downloadFileName = `${sellerId}0156_${dates}.csv.zip`;
    return new URLSearchParams({
      ...{
        bizType: 'trade',
        userId: `${sellerId}0156`,
        fileType: 'csv.zip',
        bizDates: dates,
        downloadFileName,
        fileId,
      },
    });
  }

  /** Serves the file of an address. */
  serve(request: Request, response: Response): void {
    const { store, behaviors } = this.#parts;
    const bill = store.bills.get(String(request.query.fileId ?? ''));
    if (!bill || bill.expiresMs < Date.now()) {
      response.status(403).type('html').send('<h1>the address is not valid any more</h1>');
      return;
    }
    if (behaviors.take(['bill_redirected'], null)) {
      response.redirect(302, `${ELSEWHERE}${request.originalUrl}`);
      return;
    }
    const file = this.#file(bill.day);
    const cut = behaviors.take(['bill_cut'], null) ? file.subarray(0, file.length / 2) : file;
    response.type('application/zip').send(cut);
  }

  #file(day: string): Buffer {
    const { behaviors, sellerId } = this.#parts;
    const { details, summary } = billTexts(this.#rowsOf(day), day, sellerId);
    const isShort = behaviors.take(['bill_short'], null) !== null;
    // A short bill lacks one of its rows, and still has its end and its totals.
    const text = isShort ? details.split('\r\n').toSpliced(5, 1).join('\r\n') : details;
    const prefix = `${sellerId}0156_${day.replaceAll('-', '')}`;
    return zipped([
      { name: encode(`${prefix}_业务明细(汇总).csv`, 'gbk'), bytes: encode(summary, 'gbk') },
      { name: encode(`${prefix}_业务明细.csv`, 'gbk'), bytes: encode(text, 'gbk') },
    ]);
  }

  /** The trades and refunds of a day, newest first, as Alipay lists them. */
  #rowsOf(day: string): BillRow[] {
    const begin = beginOf(day);
    const rows: BillRow[] = [];
    for (const { value: trade } of this.#parts.store.trades.getRange()) {
      if (trade.paidAtMs !== null) rows.push({ trade, atMs: trade.paidAtMs, fen: trade.fen, refundNo: '' });
      for (const { atMs, fen, outRequestNo } of trade.refunds)
        rows.push({ trade, atMs, fen: -fen, refundNo: outRequestNo });
    }
    return rows.filter(({ atMs }) => atMs >= begin && atMs < begin + DAY_MS).sort((a, b) => b.atMs - a.atMs);
  }
}

const beginOf = (day: string): number => Date.parse(`${day}T00:00:00+08:00`);
