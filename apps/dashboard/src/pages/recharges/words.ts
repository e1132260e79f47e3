import type { WaitingBody } from '@replenish/assembly';
import { filedText } from '../frame/filed.js';
import { ageOf, time } from '../frame/format.js';
import { type Html, html, nothing } from '../frame/html.js';
import type { Say } from '../frame/words.js';

/** What a recharge waits for, in a few words. The API answers a whole sentence instead. */
export const reasonWords: Readonly<Record<string, string>> = {
  QUEUE: 'its turn',
  PROVIDER: 'the provider to settle',
  ANSWER: 'an answer of the provider',
  PROOF: 'proof of absence',
  PAYER: 'the payer',
  PROVIDER_DOWN: 'the provider to come back',
  SOURCE_FUNDS: 'money on the source account',
  LANE: 'another transfer of its lane',
  DELIVERY: 'its delivery',
  APPROVAL: 'an approval',
  PERSON: 'a person',
};

/** Sentences in place of those of the API that name fields of its answer, because a page does not show these fields. */
const detailWords: Readonly<Record<string, string>> = {
  PAYER: 'Somebody has to pay.',
  PROVIDER_DOWN: 'The provider does not answer.',
};

/** Why a recharge waits, in a sentence. */
export const waitingDetail = ({ reason, detail }: WaitingBody, say: Say): string =>
  say(detailWords[reason] ?? filedText(detail, say));

/** What happens at the time until which a recharge waits. */
const untilWords: Readonly<Record<string, string>> = {
  ANSWER: 'It is asked again at',
  PROVIDER_DOWN: 'It is tried again at',
};

/** What a recharge waits for, since when, why, and until when. */
export const waitingSentence = (
  waiting: WaitingBody,
  { say, now }: Readonly<{ say: Say; now: Date }>,
): Html => {
  const { reason, since, until } = waiting;
  const age = ageOf(new Date(since), { say, now });
  return html`<b>${say('It waits for')} ${say(reasonWords[reason] ?? reason)}</b> ${say('since')} ${time(since)} · ${age}<br>
${waitingDetail(waiting, say)} ${until === null ? nothing : html`${say(untilWords[reason] ?? 'Until')} ${time(until)}`}`;
};
