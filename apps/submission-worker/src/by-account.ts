export type Submit = (id: string) => Promise<undefined>;

/**
 * Returns the submitter of a provider with several accounts, which share its queue. Which account sends a recharge, and
 * whether that account's breaker is open, is known from the stored recharge alone. With one account nothing is read.
 *
 * @param submits the submitter of each account, by its name
 * @param accountOf reads the account of an unfinished recharge. Null: there is no such recharge
 */
export function byAccount(
  submits: ReadonlyMap<string, Submit>,
  accountOf: (id: string) => Promise<string | null>,
): Submit {
  const [first] = submits.values();
  if (!first) throw new Error('a provider without an account');
  if (submits.size === 1) return first;
  return async (id) => {
    const account = await accountOf(id);
    // A recharge of an account that is not configured gets no claim, and that is logged.
    return account === null ? undefined : (submits.get(account) ?? first)(id);
  };
}
