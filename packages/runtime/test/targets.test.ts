import { describe, expect, test } from '@jest/globals';
import { faultOfAddresses, faultOfTarget, isPublicAddress, placesIn } from '../src/web/targets.js';

const NONE = new Set<string>();

describe('a target of callbacks', () => {
  test.each([
    'https://shop.example.com/hook',
    'https://shop.example.com:8443/hook?token=1',
    'https://93.184.216.34/',
    'https://[2606:2800:220:1:248:1893:25c8:1946]/',
  ])('%s is taken', (url) => {
    expect(faultOfTarget(url, NONE)).toBeNull();
  });

  test.each([
    ...['https://127.0.0.1/', 'https://[::1]/', 'https://[::ffff:127.0.0.1]/', 'https://2130706433/'],
    ...['https://0x7f.1/', 'https://0177.0.0.1/', 'https://169.254.169.254/latest/meta-data', 'https://0/'],
    ...[
      'https://[fd00:ec2::254]/',
      'https://100.64.0.1/',
      'https://100.100.100.200/',
      'https://168.63.129.16/',
    ],
    ...['https://[64:ff9b::7f00:1]/', 'https://[2002:7f00:1::]/', 'https://[2001:0:53aa:64c::1]/'],
    ...[
      'https://10.1.2.3/',
      'https://172.31.0.1/',
      'https://192.168.0.1/',
      'https://224.0.0.1/',
      'https://[fe80::1]/',
    ],
    ...[
      'https://localhost/',
      'https://localhost./',
      'https://a.localhost/',
      'https://redis/',
      'https://db.internal/',
    ],
    ...['https://１２７.0.0.1/', 'https://127。0。0。1/', 'https://[::ffff:8.8.8.8]/'],
    ...[
      'https://127.1/',
      'https://017700000001/',
      'https://0x7f000001/',
      'https://127.0.0.1./',
      'https://0.0.0.0/',
    ],
    ...[
      'https://[::]/',
      'https://[::127.0.0.1]/',
      'https://[0:0:0:0:0:ffff:7f00:1]/',
      'https://%31%32%37.0.0.1/',
    ],
    ...[
      'https://[::ffff:0:127.0.0.1]/',
      'https://[64:ff9b:1::1]/',
      'https://[fec0::1]/',
      'https://[ff02::1]/',
    ],
    ...['https://0xA9.254.0251.0xfe/', 'https://[100::1]/', 'https://[5f00::1]/', 'https://LOCALHOST/'],
    ...['https://127.0.0.1\\@shop.example.com/', 'https://metadata.google.internal/', 'https://a.home.arpa/'],
  ])('%s leads to a private network', (url) => {
    expect(faultOfTarget(url, NONE)).not.toBeNull();
  });

  test.each([
    ['http://shop.example.com/', /https/],
    ['file:///etc/passwd', /https/],
    ['gopher://shop.example.com/', /https/],
    ['https://user@shop.example.com/', /user/],
    ['https://user:pass@shop.example.com/', /user/],
    ['https://shop.example.com:22/', /port/],
    ['https://shop.example.com:6379/', /port/],
    ['https://shop.example.com/#a', /fragment/],
    ['shop.example.com', /absolute/],
    ['https://', /absolute/],
    [`https://shop.example.com/${'a'.repeat(2_000)}`, /characters/],
  ])('%s is refused, and why', (url, why) => {
    expect(faultOfTarget(url, NONE)).toMatch(why);
  });

  test('an exception may be private and plain HTTP, at its port only', () => {
    const allowed = placesIn(' 127.0.0.1:9999, Localhost:80 ');
    expect(faultOfTarget('http://127.0.0.1:9999/x', allowed)).toBeNull();
    expect(faultOfTarget('http://localhost/x', allowed)).toBeNull();
    expect(faultOfTarget('http://127.0.0.1:9998/x', allowed)).not.toBeNull();
    expect(faultOfTarget('http://user@127.0.0.1:9999/x', allowed)).not.toBeNull();
  });

  test('one private address among those of a name is enough to refuse it, and so is none at all', () => {
    expect(faultOfAddresses(['93.184.216.34'])).toBeNull();
    expect(faultOfAddresses(['93.184.216.34', '127.0.0.1'])).not.toBeNull();
    expect(faultOfAddresses(['93.184.216.34', '::ffff:127.0.0.1'])).not.toBeNull();
    expect(faultOfAddresses([])).not.toBeNull();
  });

  test('a text that is no address is not public', () => {
    expect(isPublicAddress('shop.example.com')).toBe(false);
  });
});
