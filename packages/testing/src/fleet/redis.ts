import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Empties and returns a database of the given Redis for this Jest worker alone. Redis has sixteen numbered databases,
 * and the tests of the queues use the lower eight. It writes Redis's protocol itself, because only the queues package
 * may import a Redis client.
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
