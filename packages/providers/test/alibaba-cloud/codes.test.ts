import { expect, test } from '@jest/globals';
import { meaningOfCode } from '../../src/alibaba-cloud/codes.js';

const meaning = (code: string, status = 400) => meaningOfCode({ status, code, message: 'm' });

test.each([
  'MissingParameter',
  'InvalidParameter',
  'InvalidParameter.Amount',
  'ParameterError',
  'AccountNotExist',
  'NoFundAccountPermission',
  ...['-304', 'InvalidParam.Uid.NotYourEu', 'Error3040', '3040', '3041'],
])('%s is a definite refusal', (code) => {
  expect(meaning(code)).toEqual({ kind: 'rejected', code, message: 'm' });
});

test.each([
  ...['RequestTimeout', 'InternalError', 'UndefinedError', 'ServiceUnavailable', 'SystemError'],
  ...['SignatureNonceUsed', 'Error1109', '1109', '-1101', 'CreditInnerError', 'MaxOffsetLimit'],
  'InvalidParameterX',
  'SomethingNew',
  '',
  'missingparameter',
])('%j is unknown, because no list has it', (code) => {
  expect(meaning(code)).toMatchObject({ kind: 'unknown' });
});

test.each(['MissingParameter', 'AvailableTransferAmountNotEnough', 'SignatureDoesNotMatch'])(
  '%s with a status of 500 is unknown',
  (code) => {
    expect(meaning(code, 500)).toEqual({ kind: 'unknown', cause: 'server_error', code });
  },
);

test.each([
  ...['InvalidAccessKeyId.NotFound', 'InvalidAccessKeyId.Inactive', 'SignatureDoesNotMatch'],
  ...['IncompleteSignature', 'InvalidTimeStamp.Format', 'InvalidTimeStamp.Expired'],
  ...['InvalidSecurityToken.Expired', 'InvalidSecurityToken.Malformed'],
  ...['Forbidden.RAM', 'NoPermission', 'NotAuthorized', 'NotApplicable', 'AuthSiteFail'],
])('%s executed nothing, and the order waits for an operator', (code) => {
  expect(meaning(code, 403)).toEqual({ kind: 'not_executed', cause: 'unavailable', code });
});

test.each(['Throttling', 'Throttling.User', 'Throttling.Api'])('%s executed nothing', (code) => {
  expect(meaning(code)).toEqual({ kind: 'not_executed', cause: 'rate_limited' });
  expect(meaningOfCode({ status: 503, code, message: '', retryAfterMs: 10 ** 9 })).toEqual({
    ...{ kind: 'not_executed', cause: 'rate_limited', retryAfterMs: 60_000 },
  });
});

test('too little money on the source account is neither a failure nor an outage', () => {
  expect(meaning('AvailableTransferAmountNotEnough')).toEqual({
    ...{ kind: 'not_executed', cause: 'source_funds', retryAfterMs: 30_000 },
  });
});
