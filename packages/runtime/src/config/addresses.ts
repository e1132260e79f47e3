type AddressSettings = Readonly<{
  INGRESS_PORT?: number;
  DASHBOARD_HOST?: string;
  DASHBOARD_PORT?: number;
  SANDBOX_PORT?: number;
  SANDBOX_URL?: string | undefined;
}>;

/** The defaults of addresses and ports that follow from others. The simulated providers are beside the sandbox. */
export function addressesFor({
  INGRESS_PORT,
  DASHBOARD_HOST,
  DASHBOARD_PORT,
  SANDBOX_PORT = 0,
  SANDBOX_URL,
}: AddressSettings) {
  const urlPort = SANDBOX_URL === undefined ? 0 : Number(new URL(SANDBOX_URL).port);
  const first = urlPort || SANDBOX_PORT;
  const after = (offset: number) => (first === 0 ? 0 : first + offset);
  return {
    PUBLIC_URL: `http://127.0.0.1:${INGRESS_PORT}`,
    CONSOLE_URL: `http://${DASHBOARD_HOST}:${DASHBOARD_PORT}`,
    SANDBOX_URL: `http://127.0.0.1:${SANDBOX_PORT}`,
    SANDBOX_ALIBABA_PORT: after(1),
    SANDBOX_ALIPAY_PORT: after(2),
    SANDBOX_STRIPE_PORT: after(3),
  };
}
