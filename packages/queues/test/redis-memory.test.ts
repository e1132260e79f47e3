import { expect, test } from '@jest/globals';
import { refuseBadMemory } from '../src/redis/faults.js';

const info = (policy: string, usedBytes: number, limitBytes: number) =>
  `# Memory\r\nused_memory:${usedBytes}\r\nused_memory_peak:99\r\nmaxmemory:${limitBytes}\r\nmaxmemory_policy:${policy}\r\n`;

test.each([
  { policy: 'allkeys-lru', used: 1, limit: 0, says: /maxmemory-policy is allkeys-lru, set it to noeviction/ },
  { policy: 'volatile-ttl', used: 1, limit: 100, says: /maxmemory-policy is volatile-ttl/ },
  { policy: 'noeviction', used: 100, limit: 100, says: /is full: it holds its 100 bytes/ },
])('a Redis with $policy, $used of $limit bytes used, is refused', ({ policy, used, limit, says }) => {
  expect(() => refuseBadMemory(info(policy, used, limit))).toThrow(says);
});

test.each([
  { memory: info('noeviction', 50, 0) },
  { memory: info('noeviction', 50, 100) },
  { memory: '# Memory\r\n' },
])('a Redis that evicts no keys, or does not tell, is accepted', ({ memory }) => {
  expect(() => refuseBadMemory(memory)).not.toThrow();
});
