import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Cloud } from './support/cloud.js';

const cloud = new Cloud();
beforeAll(async () => {
  await cloud.start();
  await cloud.post('/_control/alibaba/reseller-customers', { owner: '17001', consumed: 100_000 });
  await cloud.post('/_control/alibaba/agency-customers', {
    ...{ uid: '5001', creditLine: 150_000, outstanding: 50_000 },
  });
});
afterAll(() => cloud.close());

const adjust = (changes: Record<string, string> = {}) =>
  cloud.json({
    version: '2017-12-14',
    action: 'ChangeResellerConsumeAmount',
    query: {
      ...{ OwnerId: '17001', AdjustType: 'decrease', Amount: '100.00', Currency: 'CNY' },
      ...{ BusinessType: 'quota_amount_adjust', Source: 'replenish', OutBizId: 'biz-1' },
      ...changes,
    },
  });

test('one OutBizId changes the quota once', async () => {
  expect(await adjust()).toMatchObject({ Success: true, Code: '200', Data: '900.00' });
  expect(await adjust()).toMatchObject({ Success: true, Data: '900.00' });
  expect(await adjust({ OutBizId: 'biz-2' })).toMatchObject({ Data: '800.00' });
  const customer = await cloud.get('/_control/alibaba/reseller-customers/17001');
  expect(customer).toEqual({ owner: '17001', consumed: 80_000, changes: ['biz-1', 'biz-2'] });
  const { changes } = await cloud.get('/_control/alibaba/quota-changes?out_biz_id=biz-1');
  expect(changes).toMatchObject([{ owner: '17001', outBizId: 'biz-1', amount: 10_000, currency: 'CNY' }]);
});

test('a quota without a key, or of an unknown customer, is refused', async () => {
  await expect(adjust({ OutBizId: '' })).rejects.toMatchObject({ code: 'ParameterError' });
  await expect(adjust({ OwnerId: '1' })).rejects.toMatchObject({ code: '-304' });
});

const agency = (action: string, form: Record<string, string>) =>
  cloud.json({ version: '2022-12-16', action, form: { Uid: '5001', ...form } });

test('a deduction is relative: twice deducts twice, and the history shows both without a reference', async () => {
  await agency('DeductOutstandingBalance', { DeductAmount: '300' });
  expect((await agency('GetCreditInfo', {})).Data).toMatchObject({
    OutstandingBalance: '200.00',
    AvailableCredit: '1,300.00',
  });
  await agency('DeductOutstandingBalance', { DeductAmount: '300' });
  expect((await agency('GetCreditInfo', {})).Data.OutstandingBalance).toBe('-100.00');
  await cloud.post('/_control/alibaba/clock', { aheadMs: 1_000 });
  const history = await agency('QueryReversedDeductionHistory', {
    ...{ StartDate: '2020-01-01', EndDate: '2099-12-31', PageNo: '1', PageSize: '100' },
  });
  expect(history.Data).toMatchObject([{ OffsetAmount: '300.00' }, { OffsetAmount: '300.00' }]);
  expect(history.Data[0].OperationTime).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\+8$/);
});

test('a credit line is absolute: twice changes nothing', async () => {
  await agency('SetCreditLine', { CreditLine: '2000' });
  await agency('SetCreditLine', { CreditLine: '2000' });
  expect((await cloud.get('/_control/alibaba/agency-customers/5001')).creditLine).toBe(200_000);
});

test('the customer of another partner is refused', async () => {
  await expect(agency('GetCreditInfo', { Uid: '1' })).rejects.toMatchObject({
    code: 'InvalidParam.Uid.NotYourEu',
  });
});
