import { randomUUID } from 'node:crypto';

/** An answer of the gateway, before it is written as JSON. */
export type RpcAnswer = Readonly<{
  status: number;
  body: Readonly<Record<string, unknown>>;
  headers?: Readonly<Record<string, string>>;
}>;

/** A refusal of the gateway or of an operation. */
export type GatewayError = Readonly<{
  status: number;
  code: string;
  message: string;
  headers?: Readonly<Record<string, string>>;
}>;

export const gatewayError = (status: number, code: string, message: string): GatewayError => ({
  status,
  code,
  message,
});

/** The result of an operation. */
export type RpcReply = RpcAnswer | GatewayError;

/** The parameters of a call, of its query and its form together. */
export type RpcParams = ReadonlyMap<string, string>;

const newRequestId = (): string => randomUUID().toUpperCase();

/** A successful answer of the version 2023-09-30, which has no field that says so. */
export const given = (body: Readonly<Record<string, unknown>>): RpcAnswer => ({
  status: 200,
  body: { RequestId: newRequestId(), Metadata: {}, ...body },
});

/** A successful answer with the envelope of the version 2017-12-14 and of the partners' operations. */
export const enveloped = (data: unknown, code = 'Success'): RpcAnswer => ({
  status: 200,
  body: {
    RequestId: newRequestId(),
    Success: true,
    Code: code,
    Message: 'Successful!',
    ...(data === undefined ? {} : { Data: data }),
  },
});

export const errorAnswer = ({ status, code, message, headers }: GatewayError): RpcAnswer => ({
  status,
  ...(headers ? { headers } : {}),
  body: {
    RequestId: newRequestId(),
    HostId: 'business.aliyuncs.com',
    Code: code,
    Message: message,
    Recommend: `https://api.aliyun.com/troubleshoot?q=${code}`,
  },
});

/**
 * Marks an id that the JSON shows as a number. Ids of Alibaba Cloud exceed 2^53, so a JavaScript number cannot carry
 * them. An id that is not a number stays a string.
 */
export const int64 = (id: string): string => (/^[1-9]\d{0,18}$/.test(id) ? `\u0001${id}\u0001` : id);

/** The JSON of an answer, with the marked ids as numbers. */
export const writeAnswer = (body: RpcAnswer['body']): string =>
  JSON.stringify(body).replace(/"\\u0001(\d+)\\u0001"/g, '$1');
