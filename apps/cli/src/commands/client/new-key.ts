import type { NewKey } from '@replenish/domain';

/** @param introduction the line for people above the key: they must know that they see the secret only now */
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
