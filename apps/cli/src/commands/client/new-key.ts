import type { NewKey } from '@replenish/domain';

/** @param introduction line above the key. It has to say that the secret is shown only now */
export function printNewKey(
  say: (line: string) => void,
  key: NewKey,
  json: boolean | undefined,
  introduction: string,
): void {
  if (!json) say(introduction);
  say(JSON.stringify(key, null, json ? 0 : 2));
}

export const noActiveKey = (keyId: string): Error => new Error(`no active key ${keyId}`);
