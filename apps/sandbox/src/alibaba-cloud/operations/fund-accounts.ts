import type { CloudStore, FundAccount, FundBook, FundLine, FundTransfer } from '../store.js';

/** The account that the caller's key owns, and that every operation without an account id means. */
export const SOURCE_ACCOUNT = 'fa-main';

/** An account that receives the transfers of the simulator's own traffic. */
export const OTHER_ACCOUNT = 'fa-other';

export type TransferCommand = Pick<FundTransfer, 'from' | 'to' | 'amount' | 'currency' | 'kind' | 'remark'>;
export type TransferRefusal =
  | 'AccountNotExist'
  | 'NoFundAccountPermission'
  | 'AvailableTransferAmountNotEnough';

export type LineFilter = Readonly<{
  accountId: string;
  startMs: number;
  endMs: number;
  direction?: string | undefined;
  type?: string | undefined;
  number?: string | undefined;
}>;

const emptyBook: FundBook = { cash: 0n, transferredIn: 0n };

export const bookOf = (account: FundAccount, currency: string): FundBook =>
  account.books[currency] ?? emptyBook;

/** All that an account can spend. */
export const availableIn = ({ cash, credit = 0n }: FundBook): bigint => cash + credit;

/** The money of an account that may be granted to another: granted money cannot be passed on. */
export function transferable(account: FundAccount, currency: string): bigint {
  const { cash, transferredIn } = bookOf(account, currency);
  const own = cash - transferredIn;
  return account.status === 'VALID' && own > 0n ? own : 0n;
}

/** Fund accounts that hold money, refuse overdrafts, and keep a transaction list. */
export class FundAccounts {
  readonly #store: CloudStore;
  /**
   * The lists are shown as they will be after this time, in milliseconds. A test uses it to skip the delay after which
   * a transfer is visible.
   */
  visibilityAheadMs = 0;

  constructor(store: CloudStore) {
    this.#store = store;
  }

  get(id: string): FundAccount | undefined {
    return this.#store.accounts.get(id);
  }

  list(): FundAccount[] {
    return [...this.#store.accounts.getRange()].map(({ value }) => value);
  }

  /** Creates an account, or sets the cash of a known one in this currency. Its credit stays where none is given. */
  set(
    given: Pick<FundAccount, 'id'> & Partial<Omit<FundAccount, 'id' | 'books'>>,
    currency: string,
    cash: bigint,
    credit?: bigint,
  ): Promise<FundAccount> {
    return this.#store.change(() => {
      const known = this.get(given.id);
      const before = known ? bookOf(known, currency) : emptyBook;
      const transferredIn = before.transferredIn < cash ? before.transferredIn : cash;
      const book = { ...before, cash, transferredIn, ...(credit !== undefined && { credit }) };
      const account: FundAccount = {
        id: given.id,
        owner: given.owner ?? known?.owner ?? given.id,
        status: given.status ?? known?.status ?? 'VALID',
        isReadable: given.isReadable ?? known?.isReadable ?? true,
        books: { ...known?.books, [currency]: book },
      };
      this.#store.accounts.put(account.id, account);
      return account;
    });
  }

  /** Executes a transfer once, or refuses it. There is no key, so the same command twice is two transfers. */
  transfer(
    command: TransferCommand,
    atMs: number,
    visibleAfterMs: number,
  ): Promise<FundTransfer | TransferRefusal> {
    return this.#store.change(() => {
      const [from, to] = [this.get(command.from), this.get(command.to)];
      if (!from || !to) return 'AccountNotExist';
      if (from.status !== 'VALID' || to.status !== 'VALID') return 'NoFundAccountPermission';
      const available =
        command.kind === 'grant'
          ? transferable(from, command.currency)
          : this.recyclable(from, to.id, command.currency);
      if (command.amount > available) return 'AvailableTransferAmountNotEnough';
      const number = this.#store.nextNumber();
      const transfer = { ...command, number, atMs, visibleAtMs: atMs + visibleAfterMs };
      this.#store.transfers.put(number, transfer);
      this.#book(from, transfer, 'OUT');
      this.#book(to, transfer, 'IN');
      return transfer;
    });
  }

  /** What `from` can give back to `to`: at most what `to` has granted to it, and what it still holds. */
  recyclable(from: FundAccount, to: string, currency: string): bigint {
    const granted = this.transfers().reduce((sum, one) => {
      if (one.currency !== currency) return sum;
      if (one.kind === 'grant' && one.from === to && one.to === from.id) return sum + one.amount;
      return one.kind === 'recycle' && one.from === from.id && one.to === to ? sum - one.amount : sum;
    }, 0n);
    const { cash, transferredIn } = bookOf(from, currency);
    return [granted, transferredIn, cash].sort((one, other) => (one < other ? -1 : 1))[0]!;
  }

  /** Every executed transfer, oldest first, visible or not. */
  transfers(): FundTransfer[] {
    return [...this.#store.transfers.getRange()].map(({ value }) => value);
  }

  /** The visible lines of an account, newest first. */
  lines({ accountId, startMs, endMs, direction, type, number }: LineFilter, nowMs: number): FundLine[] {
    const range = { start: [accountId, ''], end: [accountId, '~'] } as const;
    const lines = [...this.#store.lines.getRange(range as never)].map(({ value }) => value);
    const isSought = (line: FundLine) =>
      line.visibleAtMs <= nowMs + this.visibilityAheadMs &&
      line.atMs >= startMs &&
      line.atMs <= endMs &&
      (direction === undefined || line.direction === direction) &&
      (type === undefined || type === 'TRANSFER') &&
      (number === undefined || line.number === number);
    return lines
      .filter(isSought)
      .sort((one, other) => other.atMs - one.atMs || (one.number < other.number ? 1 : -1));
  }

  #book(account: FundAccount, transfer: FundTransfer, direction: 'IN' | 'OUT'): void {
    const { currency, number, remark, atMs, visibleAtMs } = transfer;
    const sign = direction === 'IN' ? 1n : -1n;
    const before = bookOf(account, currency);
    const isOfGrant = (transfer.kind === 'grant') === (direction === 'IN');
    const book = {
      ...before,
      cash: before.cash + sign * transfer.amount,
      transferredIn: before.transferredIn + (isOfGrant ? sign * transfer.amount : 0n),
    };
    this.#store.accounts.put(account.id, { ...account, books: { ...account.books, [currency]: book } });
    const peer = direction === 'IN' ? transfer.from : transfer.to;
    const line = { number, accountId: account.id, peer, direction, currency } as const;
    const shown = { remark, atMs, visibleAtMs, amount: transfer.amount, balance: book.cash };
    this.#store.lines.put([account.id, number], { ...line, ...shown });
  }
}
