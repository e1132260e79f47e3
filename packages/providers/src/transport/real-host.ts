// The last one is Alipay's own sandbox.
const UNREAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0|.*\.alipaydev\.com)$/;

/**
 * Refuses an address that no real provider has. In production a simulator would confirm payments that nobody made.
 *
 * @throws when the address is local or not https
 */
export function refuseSimulator(setting: string, address: string | undefined): void {
  if (address === undefined) return;
  const { protocol, hostname } = new URL(address);
  if (protocol !== 'https:' || UNREAL.test(hostname))
    throw new Error(`${setting}: production needs the https address of the real provider, not ${address}`);
}
