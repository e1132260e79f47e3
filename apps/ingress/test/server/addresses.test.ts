import { expect, test } from '@jest/globals';
import { addresses } from '../../src/server/addresses.js';

const local = {
  NODE_ENV: 'development',
  PUBLIC_URL: 'http://127.0.0.1:8080',
  SANDBOX_URL: 'http://127.0.0.1:8090',
  DASHBOARD_HOST: '127.0.0.1',
  DASHBOARD_PORT: 8081,
} as const;

test('outside production the pages link to dashboard and sandbox', () => {
  const { publicUrl, places } = addresses(local);
  expect(publicUrl).toBe('http://127.0.0.1:8080');
  expect(places.map(({ href }) => href)).toEqual(['http://127.0.0.1:8081', 'http://127.0.0.1:8090']);
});

test('in production the pages link to neither, and a loopback address is not used as the public one', () => {
  const production = { ...local, NODE_ENV: 'production' } as const;
  expect(addresses(production)).toEqual({ places: [] });
  for (const PUBLIC_URL of ['http://localhost:8080', 'http://[::1]:8080'])
    expect(addresses({ ...production, PUBLIC_URL }).publicUrl).toBeUndefined();
  expect(addresses({ ...production, PUBLIC_URL: 'https://pay.example' }).publicUrl).toBe(
    'https://pay.example',
  );
});
