import Bss from '@alicloud/bssopenapi20171214';
import Core from '@alicloud/openapi-core';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { aTransfer, Cloud, type Draft, openProxy } from './support/cloud.js';

const cloud = new Cloud();
beforeAll(async () => {
  await cloud.start();
  await cloud.fund('fa-1', 0);
});
afterAll(() => cloud.close());

/** Calls through a proxy that alters the request. Returns the code of the refusal, or null. */
async function codeOf(
  alter: (draft: Draft) => void,
  more: Parameters<Cloud['call']>[1] = {},
): Promise<string | null> {
  const proxy = await openProxy(cloud.alibaba.url, alter);
  // The SDK signs the host of the proxy. The proxy passes it on unchanged.
  const error = await cloud
    .call({ ...aTransfer(), query: { Nbid: "a b+c*'(!)~/é" } }, { url: proxy.url, ...more })
    .then(
      () => null,
      (thrown: { code: string }) => thrown.code,
    );
  await proxy.close();
  return error;
}

test.each([['ACS3-HMAC-SHA256'], ['v2']])(
  'the signature %s of the SDK is taken, odd characters included',
  async (signatureAlgorithm) => {
    const before = (await cloud.transfersTo('fa-1')).length;
    await cloud.call({ ...aTransfer(), query: { Nbid: "a b+c*'(!)~/é" } }, { signatureAlgorithm });
    const transfers = await cloud.transfersTo('fa-1');
    expect(transfers).toHaveLength(before + 1);
    expect(transfers.at(-1).remark).toBe("rcg_01 充值 *~'()+&=");
  },
);

test('the typed client reads the balance', async () => {
  const { accessKeyId, accessKeySecret, url } = cloud.alibaba;
  const endpoint = url.replace('http://', '');
  const client = new Bss.default(
    new Core.$OpenApiUtil.Config({ accessKeyId, accessKeySecret, endpoint, protocol: 'http' }),
  );
  await cloud.fund('fa-main', 123_456_789);
  const { body } = await client.queryAccountBalance();
  expect(body).toMatchObject({ success: true, data: { availableAmount: '1,234,567.89', currency: 'CNY' } });
});

test.each<[string, string | null, (draft: Draft) => void]>([
  ['nothing', null, () => {}],
  [
    'the body',
    'SignatureDoesNotMatch',
    (draft) => {
      draft.body = Buffer.from(draft.body.toString().replace('49.99', '99.99'));
    },
  ],
  [
    'the query',
    'SignatureDoesNotMatch',
    (draft) => {
      draft.url = draft.url.replace('Nbid=a', 'Nbid=b');
    },
  ],
  [
    'a signed header',
    'SignatureDoesNotMatch',
    (draft) => {
      draft.headers['x-acs-action'] = 'Other';
    },
  ],
  [
    'the headers by an unsigned one of the protocol',
    'IncompleteSignature',
    (draft) => {
      draft.headers['x-acs-extra'] = '1';
    },
  ],
  [
    'the parameters by a second value',
    'InvalidParameter',
    (draft) => {
      draft.url = `${draft.url}&Amount=1`;
    },
  ],
  [
    'the date',
    'InvalidTimeStamp.Expired',
    (draft) => {
      draft.headers['x-acs-date'] = '2020-01-01T00:00:00Z';
    },
  ],
  [
    'the form of the date',
    'InvalidTimeStamp.Format',
    (draft) => {
      draft.headers['x-acs-date'] = 'yesterday';
    },
  ],
])('a request is judged after a proxy altered %s', async (_what, code, alter) => {
  expect(await codeOf(alter)).toBe(code);
});

test('an unknown key is refused', async () => {
  expect(await codeOf(() => {}, { accessKeyId: 'LTAI-other' })).toBe('InvalidAccessKeyId.NotFound');
});

test('in the older form an altered body is refused too', async () => {
  const alter = (draft: Draft) => {
    draft.body = Buffer.from(draft.body.toString().replace('49.99', '99.99'));
  };
  expect(await codeOf(alter, { signatureAlgorithm: 'v2' })).toBe('SignatureDoesNotMatch');
});

test('a recorded request is refused when it comes again, also after a restart', async () => {
  let recorded: Draft | undefined;
  const proxy = await openProxy(cloud.alibaba.url, (draft) => {
    recorded = { ...draft };
  });
  await cloud.call(aTransfer({ Remark: 'once' }), { url: proxy.url });
  await proxy.close();
  const again = () => resend(cloud.alibaba.url, recorded!);
  expect(await again()).toBe('SignatureNonceUsed');
  await cloud.restart();
  expect(await again()).toBe('SignatureNonceUsed');
  const transfers = await cloud.transfersTo('fa-1');
  expect(transfers.filter((one: { remark: string }) => one.remark === 'once')).toHaveLength(1);
});

/** Sends a recorded request as it was. A proxy does it, because fetch sets the host header by itself. */
async function resend(target: string, recorded: Draft): Promise<string> {
  const proxy = await openProxy(target, (draft) => Object.assign(draft, recorded));
  const answer = await fetch(proxy.url, { method: 'POST', body: '' });
  await proxy.close();
  return ((await answer.json()) as { Code: string }).Code;
}
