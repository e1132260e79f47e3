import { Socket } from 'node:net';

// The SDK's urllib replaces this function for the whole process. Without this reset, the test files that run after this
// one would keep the replacement.
const { destroy } = Socket.prototype;
const sdk = await import('alipay-sdk');
Socket.prototype.destroy = destroy;

/** The vendor's SDK as its users load it, and the sockets of the process as they were. */
export const { AlipaySdk } = sdk;
export type AlipaySdk = InstanceType<typeof AlipaySdk>;
