import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { wholeStatusOf } from '@replenish/assembly';
import { type RechargeView, states } from '@replenish/domain';
import { type Ingress, openIngress } from '../support/ingress.js';

let ingress: Ingress;
beforeAll(async () => {
  ingress = await openIngress();
});
afterAll(() => ingress.close());

test('the database and the API derive one status from a whole recharge', async () => {
  const cases = (['collect', 'deliver', 'refund', 'recall'] as const).flatMap((kind) =>
    states.flatMap((state) =>
      [true, false].flatMap((hasPayee) =>
        [null, ...states].map((delivery) => ({ kind, state, hasPayee, delivery })),
      ),
    ),
  );
  const rows = await ingress.sql(
    `select whole_status(one ->> 'kind', one ->> 'state', (one ->> 'hasPayee')::boolean, one ->> 'delivery') as status
     from jsonb_array_elements($1::jsonb) with ordinality as list(one, place) order by place`,
    [JSON.stringify(cases)],
  );
  const expected = cases.map(({ kind, state, hasPayee, delivery }) =>
    wholeStatusOf({
      ...{ kind, state, payee: hasPayee ? {} : null },
      delivery: delivery === null ? null : { state: delivery },
    } as unknown as RechargeView),
  );
  expect(rows.map(({ status }) => status)).toEqual(expected);
});
