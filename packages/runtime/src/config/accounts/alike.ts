import type { FileFault } from './providers-file.js';
import { nameInFile, type SettingName } from './setting-names.js';

type PlacedAccount = Readonly<{
  provider: string;
  name: string;
  line: number;
  settings: Readonly<Partial<Record<SettingName, unknown>>>;
}>;

/**
 * The settings that distinguish an account from the others of its provider. No two accounts may share a value of them.
 */
const telling: Readonly<Record<string, readonly SettingName[]>> = {
  // If two accounts paid from one fund account, it would have two pools, and both would count on the same money.
  alibaba_cloud: ['ALIBABA_CLOUD_FUND_ACCOUNT_ID'],
  alipay: ['ALIPAY_APP_ID'],
  // The secret that fits an event tells which account it is for.
  stripe: ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'],
};

/** Faults of accounts that share such a value with an earlier account of their provider. */
export const alikeFaults = (accounts: readonly PlacedAccount[]): FileFault[] =>
  accounts.flatMap((account, at) =>
    telling[account.provider]!.flatMap((setting) => {
      const other = accounts.slice(0, at).find((earlier) => shareValue(earlier, account, setting));
      if (!other) return [];
      const where = `${account.provider}.${account.name}`;
      return [{ line: account.line, where, words: `has the ${nameInFile(setting)} of ${other.name}` }];
    }),
  );

function shareValue(one: PlacedAccount, other: PlacedAccount, setting: SettingName): boolean {
  if (one.provider !== other.provider) return false;
  const values = new Set(valuesOf(one, setting));
  return valuesOf(other, setting).some((value) => values.has(value));
}

const valuesOf = ({ settings }: PlacedAccount, setting: SettingName): string[] =>
  String(settings[setting] ?? '')
    .split(/[\s,]+/)
    .filter(Boolean);
