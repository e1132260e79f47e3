/**
 * `NOT_SCANNED`: a QR code exists and nobody has scanned it. Alipay has no such trade yet, and its query says so. The
 * other names are Alipay's.
 */
export type TradeStatus = 'NOT_SCANNED' | 'WAIT_BUYER_PAY' | 'TRADE_SUCCESS' | 'TRADE_CLOSED';

/** A refund of a trade. Amounts are in fen. */
export type StoredTradeRefund = Readonly<{ outRequestNo: string; fen: number; atMs: number }>;

/** A trade as it is stored. Amounts are in fen, times in milliseconds since 1970. */
export type StoredTrade = Readonly<{
  outTradeNo: string;
  tradeNo: string;
  subject: string;
  body: string | null;
  passbackParams: string | null;
  fen: number;
  status: TradeStatus;
  notifyUrl: string | null;
  qrCode: string;
  createdMs: number;
  payableUntilMs: number;
  paidAtMs: number | null;
  closedAtMs: number | null;
  refunds: readonly StoredTradeRefund[];
}>;

export const yuanOf = (fen: number): string =>
  `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;

/** The fen of a text in yuan. Null: it is not an amount of Alipay. */
export function fenOf(yuan: unknown): number | null {
  const [, whole, cents = ''] = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(String(yuan ?? '')) ?? [];
  if (whole === undefined) return null;
  const fen = Number(whole) * 100 + Number(cents.padEnd(2, '0'));
  return fen >= 1 && fen <= 10_000_000_000 ? fen : null;
}

/** A time as Alipay prints it: China Standard Time without a zone. */
export const chinaTime = (ms: number): string =>
  new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');

export const refundedFen = ({ refunds }: StoredTrade): number =>
  refunds.reduce((sum, { fen }) => sum + fen, 0);
