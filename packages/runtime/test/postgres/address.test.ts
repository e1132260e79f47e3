import { expect, test } from '@jest/globals';
import { BadConfiguration, readConfig } from '../../src/config/read.js';

const read = (DATABASE_URL: string) => readConfig({ DATABASE_URL, NODE_ENV: 'production' }).DATABASE_URL;

test.each([
  'postgres://u:p%40ss@db.internal:5432/replenish',
  'postgresql://u@[::1]/replenish',
  'postgres:///replenish?host=/var/run/postgresql',
  'postgres://u@db/replenish?sslmode=verify-full&sslrootcert=/etc/ca.pem',
  'postgres://u@db/replenish?sslmode=require&uselibpqcompat=true&application_name=replenish',
  'postgres://u@db/replenish?options=-c%20geqo%3Doff',
])('%s is accepted', (url) => {
  expect(read(url)).toBe(url);
});

test.each([
  ['postgres://u@db/replenish?schema=staging', 'the parameter schema is not supported'],
  ['postgres://u@db/replenish?pgbouncer=true', 'the parameter pgbouncer is not supported'],
  ['postgres://u@db/replenish?connection_limit=5', 'set DATABASE_POOL_MAX'],
  ['postgres://u@db/replenish?pool_timeout=5', 'the parameter pool_timeout is not supported'],
  ['postgres://u@db/replenish?target_session_attrs=read-write', 'name one address'],
  ['postgres://u@db/replenish?SSLMODE=require', 'the parameter SSLMODE is not supported'],
  ['postgres://u@db/replenish?sslmode=allow', 'the parameter sslmode takes disable, prefer'],
  ['postgres://u@db/replenish?ssl=false', 'the parameter ssl takes true, 1, 0'],
  ['postgres://u@db/replenish?sslmode=disable&sslmode=require', 'given more than once'],
  ['postgres://u@a:5432,b:5432/replenish', 'names several hosts'],
  ['postgres://u@a,b/replenish', 'names several hosts'],
  ['postgres://u:pa#ss@db/replenish', 'is no URL'],
  ['postgres://u@db/replenish#main', 'has a fragment'],
  ['mysql://u@db/replenish', 'begins with postgres://'],
])('%s is refused with a reason', (url, word) => {
  expect(() => read(url)).toThrow(BadConfiguration);
  expect(() => read(url)).toThrow(word);
});
