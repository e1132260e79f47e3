import type { Domain } from '@replenish/domain';
import type { PageCall, ShownPage } from '../frame/call.js';
import { mark } from '../frame/format.js';
import { html } from '../frame/html.js';
import { doOfferedVerb, type OfferedVerb, type OfferedVerbDeps, offeredVerbPage } from '../frame/verb.js';
import { statusWords } from './list-page.js';

export type CallbackVerbDeps = OfferedVerbDeps & Readonly<{ domain: Pick<Domain, 'callbacks' | 'console'> }>;

// A person of the console sees the deliveries of all accounts.
const EVERY_ACCOUNT = ['%'];

async function offeredOf({ domain }: CallbackVerbDeps, call: PageCall): Promise<OfferedVerb | null> {
  const { say, request } = call;
  const delivery = await domain.console.callbackDelivery(String(request.params.id));
  if (!delivery) return null;
  const { id, clientId, status, type, url } = delivery;
  const tooLate = say('Nothing was done: the delivery is on its way already, or its endpoint is disabled.');
  return {
    ...{ title: say('Replay this delivery'), action: `/callbacks/${id}/replay`, back: '/callbacks' },
    about: html`<p class="headline">${mark('waiting', say(statusWords[status]))} ${type} ${url}</p>`,
    consequences: [
      say('The event is posted again at once, with its schedule from the beginning.'),
      say('The receiver knows it again by its id. No money moves.'),
    ],
    stamp: `${status} ${delivery.attempts.length}`,
    obstacle: status === 'pending' ? tooLate : null,
    filed: { verb: 'console_replay', subject: `delivery ${id}` },
    carryOut: async () => {
      const replayed = await domain.callbacks.replay({ clientId, accountPatterns: EVERY_ACCOUNT }, id);
      return replayed === null || replayed === 'disabled' ? tooLate : null;
    },
  };
}

export const replayPage = (deps: CallbackVerbDeps, call: PageCall): Promise<ShownPage> =>
  offeredVerbPage(() => offeredOf(deps, call), call);

export const doReplay = (deps: CallbackVerbDeps, call: PageCall): Promise<ShownPage | null> =>
  doOfferedVerb(deps, () => offeredOf(deps, call), call);
