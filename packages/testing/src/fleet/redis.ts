import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * A database of the given Redis for this Jest worker alone, emptied. Redis numbers sixteen: the lower eight are left
 * to tests of the queues themselves. Spoken by hand, since only the queues package may know a Redis client.
 */
export async function privateRedis(url: string): Promise<string> {
  const mine = new URL(url);
  const number = 8 + (Number(process.env.JEST_WORKER_ID ?? 1) % 8);
  mine.pathname = `/${number}`;
  const socket = connect(Number(mine.port || 6379), mine.hostname);
  await once(socket, 'connect');
  socket.end(`SELECT ${number}\r\nFLUSHDB\r\nQUIT\r\n`);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  if (!answer.startsWith('+OK\r\n+OK')) throw new Error(`Redis at ${mine.host} answered ${answer}`);
  return mine.href;
}
