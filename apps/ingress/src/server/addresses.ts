import type { Config, PageLink } from '@replenish/runtime';

type Addresses = Readonly<{ publicUrl?: string; places: readonly PageLink[] }>;
type Read = Pick<Config, 'NODE_ENV' | 'PUBLIC_URL' | 'SANDBOX_URL' | 'DASHBOARD_HOST' | 'DASHBOARD_PORT'>;

/**
 * The addresses that the ingress shows. In production a loopback public address is only the default, and callers
 * cannot open it. Production does not show where the dashboard is.
 */
export function addresses(config: Read): Addresses {
  if (config.NODE_ENV !== 'production') return { publicUrl: config.PUBLIC_URL, places: localPlaces(config) };
  return isLoopback(config.PUBLIC_URL) ? { places: [] } : { publicUrl: config.PUBLIC_URL, places: [] };
}

const isLoopback = (url: string): boolean =>
  /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);

const localPlaces = ({ SANDBOX_URL, DASHBOARD_HOST, DASHBOARD_PORT }: Read): PageLink[] => [
  { href: `http://${DASHBOARD_HOST}:${DASHBOARD_PORT}`, text: 'Dashboard' },
  { href: SANDBOX_URL, text: 'Sandbox' },
];
