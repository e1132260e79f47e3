/** What a recharge waits for, in a few words. The API has the sentence. */
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
