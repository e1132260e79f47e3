import { expect, test } from '@jest/globals';
import { byAccount } from '../src/by-account.js';

function openRouter(names: readonly string[], accounts: Readonly<Record<string, string>>) {
  const sent: string[] = [];
  const submits = new Map(
    names.map((name) => [
      name,
      async (id: string) => {
        sent.push(`${id} by ${name}`);
        return undefined;
      },
    ]),
  );
  const read: string[] = [];
  const accountOf = async (id: string) => {
    read.push(id);
    return accounts[id] ?? null;
  };
  return { sent, read, submit: byAccount(submits, accountOf) };
}

test('each recharge is sent by the account that it is stored with', async () => {
  const { sent, submit } = openRouter(['shop', 'market'], { a: 'market', b: 'shop' });
  await submit('a');
  await submit('b');
  expect(sent).toEqual(['a by market', 'b by shop']);
});

test('with one account nothing is read', async () => {
  const { sent, read, submit } = openRouter(['main'], {});
  await submit('a');
  expect([sent, read]).toEqual([['a by main'], []]);
});

test('a finished recharge is left alone, and one of an unknown account is left to the claim, which refuses it', async () => {
  const { sent, submit } = openRouter(['shop', 'market'], { a: 'gone' });
  await submit('finished');
  await submit('a');
  expect(sent).toEqual(['a by shop']);
});
