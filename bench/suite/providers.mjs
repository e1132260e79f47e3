import { freePort } from '@replenish/testing';
import { here, verifyBooks } from './checkout.mjs';
import { FLEET, startProduct } from './fleet.mjs';
import { hold, rows } from './ground.mjs';
import { allAccepted } from './load.mjs';
import { line, median, ratios } from './statistics.mjs';

const ACCOUNTS = 200;
// The payer of Alipay finds unpaid trades in the control API's list of the newest 100 trades. So fewer than 100
// recharges are unfinished at a time.
const UNFINISHED_MAX = 64;
const LIMIT_MS = 300_000;
const WORKERS = ['submission-worker', 'webhook-worker', 'reconciliation-worker'];

/** Each rail, with the terms of its recharges. `sandbox` is the plain sandbox, which the others are compared with. */
const rails = {
  sandbox: { terms: '"currency":"USD","paymentMethod":"sandbox","destination":"wallet"' },
  stripe: { terms: '"currency":"CNY","paymentMethod":"credit_card","destination":"wallet"' },
  alipay: { terms: '"currency":"CNY","paymentMethod":"alipay","destination":"wallet"', isPaid: true },
  fund_account: { terms: '"currency":"CNY","paymentMethod":"fund_account"' },
  reseller_quota: { terms: '"currency":"CNY","paymentMethod":"fund_account"', rail: 'reseller_quota' },
};

/** Recharges through each simulator: their rate, and the processor time of the workers per recharge. */
export async function measureProviders({ ground, generator, rounds, measureMs, say, announce }) {
  say(`\nrecharges through each simulator, at most ${UNFINISHED_MAX} unfinished, ${ACCOUNTS} accounts`);
  const fleets = await openFleets(ground);
  const turns = Object.fromEntries(Object.keys(rails).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++)
    for (const name of Object.keys(rails)) {
      const fleet = fleets[rails[name].rail ?? 'fund_account'];
      if (round > 0) await announce(`  round ${round} ${name.padEnd(14)}`);
      const turn = await measure(fleet, { ground, generator, measureMs, ...rails[name] });
      if (round === 0) continue; // round 0 loads the SDKs
      turns[name].push(turn);
      say(`${turn.rate.toFixed(0).padStart(6)}/s  workers ${Math.round(turn.workersUs)} us each`);
    }
  for (const fleet of Object.values(fleets)) await closeFleet(fleet);
  const figure = (name, of) => turns[name].map((turn) => turn[of]);
  return Object.keys(rails).flatMap((name) => [
    ...(name === 'sandbox'
      ? []
      : [
          line(
            `workers' CPU, ${name} / sandbox`,
            ratios(figure(name, 'workersUs'), figure('sandbox', 'workersUs')),
          ),
        ]),
    `  remark: ${name}, ${Math.round(median(figure(name, 'rate')))}/s, workers ${Math.round(median(figure(name, 'workersUs')))} us each`,
  ]);
}

async function openFleets(ground) {
  const fleets = {};
  for (const rail of ['fund_account', 'reseller_quota']) {
    const database = await here.createDatabase();
    const ports = {};
    for (const dialect of ['ALIBABA', 'ALIPAY', 'STRIPE'])
      ports[`SANDBOX_${dialect}_PORT`] = String(await freePort());
    const product = await startProduct({
      ...{ ground, database, queue: ground.redis ? 'redis' : 'postgres', names: FLEET, label: rail },
      settings: { ...ports, ALIBABA_CLOUD_RAIL: rail },
      scopes: ['recharges:write', 'payees:write'],
    });
    fleets[rail] = { product, database };
    await control(product, 'alibaba/fund-accounts', { id: 'fa-main', currency: 'CNY', cash: 1e14 });
    for (let n = 0; n < ACCOUNTS; n++) await addPayee(product, String(n).padStart(5, '0'));
  }
  return fleets;
}

async function addPayee(product, number) {
  const to = `fa-${number}`;
  await control(product, 'alibaba/fund-accounts', { id: to, currency: 'CNY', cash: 0 });
  await control(product, 'alibaba/reseller-customers', { owner: to, consumed: 1e14 });
  await send(`${product.url}/v1/accounts/acct-${number}/payee`, 'PUT', product.authorization, {
    ...{ provider: 'alibaba_cloud', to, currency: 'CNY' },
  });
}

const control = ({ sandboxUrl }, path, body) => send(`${sandboxUrl}/_control/${path}`, 'POST', '', body);

async function send(url, method, authorization, body) {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    body: JSON.stringify(body),
  });
  hold(response.ok, `${url} was answered ${response.status} ${await response.text()}`);
}

async function measure({ product, database }, { ground, generator, measureMs, terms, isPaid }) {
  await ground.checkpoint();
  const before = product.cpuMsEach();
  const payer = isPaid ? startPayer(product) : null;
  const result = await generator.run({
    ...{ url: product.url, authorization: product.authorization, databaseUrl: database.url },
    ...{ unfinishedMax: UNFINISHED_MAX, limitMs: LIMIT_MS, measureMs, terms, accounts: ACCOUNTS },
  });
  await payer?.stop();
  allAccepted(result);
  const after = product.cpuMsEach();
  const workersMs = WORKERS.reduce((sum, name) => sum + after[name] - before[name], 0);
  return { rate: result.accepted / result.seconds, workersUs: (1_000 * workersMs) / result.accepted };
}

/** Pays every trade that waits for its payer. */
function startPayer(product) {
  let isOver = false;
  const pays = async () => {
    while (!isOver) {
      const response = await fetch(`${product.sandboxUrl}/_control/alipay/trades`);
      const { trades } = await response.json();
      for (const { out_trade_no, trade_status } of trades)
        if (['NOT_SCANNED', 'WAIT_BUYER_PAY'].includes(trade_status))
          await control(product, 'alipay/pay', { out_trade_no });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const running = pays();
  return {
    stop: () => {
      isOver = true;
      return running;
    },
  };
}

async function closeFleet({ product, database }) {
  await verifyBooks(database.url, here);
  const [row] = await rows(
    database.url,
    "select count(*)::int as n from recharge_transaction where state <> 'SUCCEEDED'",
  );
  hold(row.n === 0, `${row.n} recharges did not succeed`);
  await product.stop();
  await database.release();
}
