import { persist } from '../database/failure.js';
import { type CallbackDeps, type SealedSecret, secretsOf } from './secrets.js';

type Sealed = Pick<SealedSecret, 'secretSealed' | 'previousSecretSealed'>;

/**
 * Seals the secrets of endpoints and clients again that another than the first master key sealed. A secret that is
 * rotated meanwhile is left as it is: a new one is sealed with the first key. Returns the number of changed owners.
 */
export async function rekeyCallbacks(deps: CallbackDeps): Promise<number> {
  const { db } = deps.store;
  const endpoints = await persist(() =>
    db.callbackEndpoint.findMany({ where: { status: { not: 'deleted' } } }),
  );
  const clients = await persist(() => db.callbackSecret.findMany());
  let changed = 0;
  for (const row of endpoints) {
    const data = resealed(deps, row.id, row);
    const where = { id: row.id, secretSealed: row.secretSealed };
    if (data) changed += (await persist(() => db.callbackEndpoint.updateMany({ where, data }))).count;
  }
  for (const row of clients) {
    const data = resealed(deps, row.clientId, row);
    const where = { clientId: row.clientId, secretSealed: row.secretSealed };
    if (data) changed += (await persist(() => db.callbackSecret.updateMany({ where, data }))).count;
  }
  return changed;
}

function resealed({ vault }: CallbackDeps, owner: string, row: Sealed) {
  const { secretSealed, previousSecretSealed } = row;
  const isStale = [secretSealed, previousSecretSealed].some((sealed) => sealed && !vault?.isCurrent(sealed));
  if (!isStale) return null;
  const secrets = secretsOf(vault, owner);
  const again = (sealed: Uint8Array) => new Uint8Array(secrets.seal(secrets.open(sealed)));
  return {
    secretSealed: again(secretSealed),
    previousSecretSealed: previousSecretSealed && again(previousSecretSealed),
  };
}
