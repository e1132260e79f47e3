import { providerSettings } from '../settings/provider-settings.js';

const prefixes = { alibaba_cloud: 'ALIBABA_CLOUD_', alipay: 'ALIPAY_', stripe: 'STRIPE_' } as const;

export type ConfiguredProvider = keyof typeof prefixes;
export type SettingName = keyof typeof providerSettings;

/** The settings of each provider, by their names in the environment. */
export const settingsOfProviders: Readonly<Record<string, readonly SettingName[]>> = Object.fromEntries(
  Object.entries(prefixes).map(([provider, prefix]) => [
    provider,
    (Object.keys(providerSettings) as SettingName[]).filter((name) => name.startsWith(prefix)),
  ]),
);

/** The setting that a name in the file means: `secret_key` of `stripe` is STRIPE_SECRET_KEY. Null: there is none. */
export const settingOf = (provider: string, name: string): SettingName | null =>
  settingsOfProviders[provider]?.find((setting) => nameInFile(setting) === name) ?? null;

/** The name of a setting in the file: without the prefix of its provider, in small letters. */
export function nameInFile(setting: string): string {
  const prefix = Object.values(prefixes).find((one) => setting.startsWith(one)) ?? '';
  return setting.slice(prefix.length).toLowerCase();
}

const NAMES = new RegExp(`(${Object.keys(providerSettings).toSorted().toReversed().join('|')})`, 'g');

/** A sentence about settings with their names in the file, and the first setting that it names. */
export function inFileWords(sentence: string): Readonly<{ words: string; names: readonly string[] }> {
  const names = sentence.match(NAMES) ?? [];
  return { words: sentence.replace(NAMES, (name) => nameInFile(name)), names };
}
