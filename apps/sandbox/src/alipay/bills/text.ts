import { chinaTime, type StoredTrade, yuanOf } from '../trade.js';

const COLUMNS = [
  ...[
    '支付宝交易号',
    '商户订单号',
    '业务类型',
    '商品名称',
    '创建时间',
    '完成时间',
    '门店编号',
    '门店名称',
    '操作员',
  ],
  ...[
    '终端号',
    '对方账户',
    '订单金额（元）',
    '商家实收（元）',
    '支付宝红包（元）',
    '集分宝（元）',
    '支付宝优惠（元）',
  ],
  ...['商家优惠（元）', '券核销金额（元）', '券名称', '商家红包消费金额（元）', '卡消费金额（元）'],
  ...['退款批次号/请求号', '服务费（元）', '分润（元）', '备注'],
];

/** A payment or a refund. `fen` is below zero for a refund. */
export type BillRow = Readonly<{ trade: StoredTrade; atMs: number; fen: number; refundNo: string }>;

// 0.6 %, as most merchants pay. Alipay gives it back with a refund.
const feeOf = (fen: number): number => Math.round((fen * 6) / 1_000);
const signedYuan = (fen: number): string => (fen < 0 ? `-${yuanOf(-fen)}` : yuanOf(fen));

/** The texts of the two files of a bill: each trade and refund, and their sums. */
export function billTexts(rows: readonly BillRow[], day: string, sellerId: string) {
  const next = new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
  const about = [
    `#账号：[${sellerId}0156]`,
    `#起始日期：[${inChinese(day)} 00:00:00]   终止日期：[${inChinese(next)} 00:00:00]`,
  ];
  const [paid, refunded] = [rows.filter(({ fen }) => fen > 0), rows.filter(({ fen }) => fen < 0)];
  const totals = [
    `#交易合计：${paid.length}笔，商家实收共${signedYuan(sumOf(paid))}元，商家优惠共0.00元`,
    `#退款合计：${refunded.length}笔，商家实收退款共${signedYuan(sumOf(refunded))}元，商家优惠退款共0.00元`,
  ];
  const list = [
    ...about,
    rule('业务明细列表'),
    COLUMNS.join(','),
    ...rows.map(lineOf),
    rule('业务明细列表结束'),
    ...totals,
  ];
  const sums = [
    ...['门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）'],
    `合计\t,\t,${paid.length},${refunded.length},${signedYuan(sumOf(rows))},${signedYuan(sumOf(rows))}`,
  ];
  const summary = [...about, rule('业务汇总列表'), ...sums, rule('业务汇总列表结束')];
  return {
    details: lines('#支付宝业务明细查询', ...list, `#导出时间：[${inChinese(next)} 09:00:00]`),
    summary: lines('#支付宝业务汇总查询', ...summary),
  };
}

const lines = (...all: readonly string[]): string => all.map((line) => `${line}\r\n`).join('');
const rule = (title: string): string => `#${'-'.repeat(41)}${title}${'-'.repeat(36)}`;
const inChinese = (day: string): string => `${day.slice(0, 4)}年${day.slice(5, 7)}月${day.slice(8)}日`;
const sumOf = (rows: readonly BillRow[]): number => rows.reduce((sum, { fen }) => sum + fen, 0);

/** A row. Alipay ends numbers and empty fields with a tab, so that a spreadsheet takes them for texts. */
function lineOf({ trade, atMs, fen, refundNo }: BillRow): string {
  const amount = signedYuan(fen);
  return [
    ...[
      `${trade.tradeNo}\t`,
      `${trade.outTradeNo}\t`,
      fen < 0 ? '退款\t' : '交易\t',
      trade.subject.replaceAll(',', ' '),
    ],
    ...[chinaTime(trade.createdMs), chinaTime(atMs), '\t', '\t', '\t', '\t', '*拟(sim***@example.com)'],
    ...[amount, amount, '0.00', '0.00', '0.00', '0.00', '0.00', '', '0.00\t', '0.00'],
    ...[`${refundNo}\t`, signedYuan(-feeOf(fen)), '0.00', ''],
  ].join(',');
}
