import type { z } from 'zod';
import type { Env } from '../local.js';
import { providerFaults } from '../provider-faults.js';
import { providerSettings } from '../settings/provider-settings.js';
import { alikeFaults } from './alike.js';
import {
  accountsWritten,
  type FileFault,
  isInFile,
  resolved,
  sentenceOf,
  textIn,
  variablesIn,
  type WrittenAccount,
} from './providers-file.js';
import { inFileWords, nameInFile, type SettingName, settingsOfProviders } from './setting-names.js';

/** The settings of one account, by their names in the environment. */
export type AccountSettings = Readonly<{
  [Name in SettingName]?: z.infer<(typeof providerSettings)[Name]>;
}>;

/** An account of ours at a provider that PROVIDERS_FILE configures. */
export type ProviderAccount = Readonly<{
  provider: string;
  name: string;
  settings: AccountSettings;
  /** The settings with the secrets that are in files as they are now. A file that cannot be read leaves its old value. */
  reread: () => AccountSettings;
}>;

type ReadAccounts = Readonly<{ accounts: readonly ProviderAccount[]; faults: readonly string[] }>;

const none: ReadAccounts = { accounts: [], faults: [] };

/**
 * The accounts of PROVIDERS_FILE. One sentence per fault, with the file, the line and the path of what is wrong. No
 * sentence shows a value.
 */
export function readAccounts(file: string | undefined, env: Env, isProduction: boolean): ReadAccounts {
  if (file === undefined) return none;
  const text = textIn(file);
  if (text === null) return { accounts: [], faults: [`PROVIDERS_FILE: ${file} cannot be read`] };
  const written = accountsWritten(text);
  const read = written.accounts.map((account) => readAccount(account, { file, env, isProduction }));
  const accounts = read.flatMap(({ account }) => account);
  const faults = [...written.faults, ...read.flatMap((one) => one.faults), ...alikeFaults(accounts)];
  const ineffective = written.accounts.length === 0 ? [] : ineffectiveIn(env, written.accounts);
  return {
    accounts: accounts.map(({ line: _, ...account }) => account),
    faults: [
      ...faults.toSorted((a, b) => a.line - b.line).map((fault) => sentenceOf(file, fault)),
      ...ineffective,
    ],
  };
}

type Reading = Readonly<{ file: string; env: Env; isProduction: boolean }>;
type ReadAccount = Readonly<{ account: (ProviderAccount & { line: number })[]; faults: FileFault[] }>;

function readAccount(written: WrittenAccount, { file, env, isProduction }: Reading): ReadAccount {
  const { provider, name, line, values } = written;
  const path = `${provider}.${name}`;
  const lineOf = (setting: string | undefined): number =>
    values.find((value) => value.setting === setting)?.line ?? line;
  const faults: FileFault[] = [];
  const settings: Record<string, unknown> = {};
  for (const setting of settingsOfProviders[provider]!) {
    const value = values.find((one) => one.setting === setting);
    const where = `${path}.${nameInFile(setting)}`;
    const found = value && resolved(value.text, env, file);
    if (found && 'fault' in found) faults.push({ line: lineOf(setting), where, words: found.fault });
    const { success, data, error } = providerSettings[setting].safeParse(
      found && 'value' in found ? found.value : undefined,
    );
    if (success) settings[setting] = data;
    else faults.push({ line: lineOf(setting), where, words: error.issues[0]!.message });
  }
  const sentences =
    faults.length > 0 ? [] : [...providerFaults(settings, isProduction), ...keyless(provider, settings)];
  for (const sentence of sentences) {
    const { words, names } = inFileWords(sentence);
    faults.push({ line: lineOf(names.find((one) => settings[one] !== undefined)), where: `${path}:`, words });
  }
  const reread = () => rereadSettings(settings, written, file, env);
  return { account: [{ provider, name, line, settings, reread }], faults };
}

const firstKeys: Readonly<Record<string, SettingName>> = {
  alibaba_cloud: 'ALIBABA_CLOUD_ACCESS_KEY_ID',
  alipay: 'ALIPAY_APP_ID',
  stripe: 'STRIPE_SECRET_KEY',
};

/**
 * An account without any key. Temporary keys change within hours, so remarks that are proven by a key derived from them
 * would stop being ours.
 */
function keyless(provider: string, settings: AccountSettings): string[] {
  const key = firstKeys[provider]!;
  const isPassing =
    settings.ALIBABA_CLOUD_SECURITY_TOKEN !== undefined &&
    settings.ALIBABA_CLOUD_RAIL === 'fund_account' &&
    settings.ALIBABA_CLOUD_REMARK_KEYS === undefined;
  return [
    ...(settings[key] === undefined ? [`it needs ${key}`] : []),
    ...(isPassing
      ? ['ALIBABA_CLOUD_SECURITY_TOKEN needs ALIBABA_CLOUD_REMARK_KEYS: temporary keys cannot prove remarks']
      : []),
  ];
}

function rereadSettings(
  before: AccountSettings,
  { values }: WrittenAccount,
  file: string,
  env: Env,
): AccountSettings {
  const again = values.flatMap(({ setting, text }) => {
    const found = isInFile(text) ? resolved(text, env, file) : null;
    return found && 'value' in found ? [[setting, found.value] as const] : [];
  });
  return { ...before, ...Object.fromEntries(again) };
}

/** Variables of a provider that the file configures, unless the file takes its values from them. */
function ineffectiveIn(env: Env, accounts: readonly WrittenAccount[]): string[] {
  const isTaken = new Set(accounts.flatMap(({ values }) => values.flatMap(({ text }) => variablesIn(text))));
  return [...new Set(accounts.map(({ provider }) => provider))].flatMap((provider) =>
    settingsOfProviders[provider]!.filter((name) => env[name] && !isTaken.has(name)).map(
      (name) => `${name} has no effect: PROVIDERS_FILE configures ${provider}`,
    ),
  );
}

/** The values without those of the providers that have accounts in the file. */
export function withoutThose<Values extends object>(
  accounts: readonly ProviderAccount[],
  values: Values,
): Values {
  const names: readonly string[] = accounts.flatMap(({ provider }) => settingsOfProviders[provider]!);
  return Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name))) as Values;
}
