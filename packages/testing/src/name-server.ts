import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';

/** What a name is answered with. The last answers stay for all later questions of their kind. */
export type NameAnswers = Readonly<{
  /** The IPv4 addresses that each question in turn is answered with. */
  a?: readonly (readonly string[])[];
  /** The IPv6 addresses that each question in turn is answered with. */
  aaaa?: readonly (readonly string[])[];
  /** The name that this one is an alias of. Its addresses are in the same answer. */
  alias?: string;
}>;

export interface NameServer {
  /** `address:port`, as a resolver takes it. */
  readonly address: string;
  /** The questions for IPv4 addresses of a name. */
  asked(name: string): number;
  close(): void;
}

const TYPES = { a: 1, alias: 5, aaaa: 28 } as const;

/** A name server on this machine that answers each question as it was told to. A name that it does not know has no address. */
export async function openNameServer(names: Readonly<Record<string, NameAnswers>>): Promise<NameServer> {
  const asked = new Map<string, number>();
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address }) => {
    const { name, type, end } = read(question);
    const kind = type === TYPES.aaaa ? 'aaaa' : 'a';
    const nth = asked.get(`${kind} ${name}`) ?? 0;
    asked.set(`${kind} ${name}`, nth + 1);
    const { [kind]: answers = [], alias } = names[name] ?? {};
    const addresses = answers[Math.min(nth, answers.length - 1)] ?? [];
    socket.send(answer(question.subarray(0, end), addresses, alias), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked: (name) => asked.get(`a ${name}`) ?? 0,
    close: () => socket.close(),
  };
}

/** The name and the type of the one question of a message, and where the question ends. */
function read(message: Buffer): Readonly<{ name: string; type: number; end: number }> {
  const labels: string[] = [];
  let at = 12;
  for (let size = message[at]!; size > 0; size = message[at]!) {
    labels.push(message.toString('latin1', at + 1, at + 1 + size));
    at += 1 + size;
  }
  return { name: labels.join('.'), type: message.readUInt16BE(at + 1), end: at + 5 };
}

const named = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((one) => Buffer.from([one.length, ...Buffer.from(one)])),
    Buffer.of(0),
  ]);

/** A record of class IN that holds for no time at all. */
function record(name: Buffer, type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([name, head, data]);
}

/** The name of the question, as a later part of the message refers to it. */
const OF_QUESTION = Buffer.of(0xc0, 12);

function answer(question: Buffer, addresses: readonly string[], alias: string | undefined): Buffer {
  const owner = alias === undefined ? OF_QUESTION : named(alias);
  const records = [
    ...(alias === undefined ? [] : [record(OF_QUESTION, TYPES.alias, named(alias))]),
    ...addresses.map((one) =>
      isIPv4(one) ? record(owner, TYPES.a, bytesOf4(one)) : record(owner, TYPES.aaaa, bytesOf6(one)),
    ),
  ];
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt16BE(0, 8);
  head.writeUInt16BE(0, 10);
  return Buffer.concat([head, ...records]);
}

const bytesOf4 = (address: string): Buffer => Buffer.from(address.split('.').map(Number));

/** The bytes of an IPv6 address. The address must not contain an IPv4 part. */
function bytesOf6(address: string): Buffer {
  const [front, back = []] = address.split('::').map((part) => part.split(':').filter(Boolean));
  const groups = [...front!, ...Array<string>(8 - front!.length - back.length).fill('0'), ...back];
  const bytes = Buffer.alloc(16);
  for (const [nth, group] of groups.entries()) bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * nth);
  return bytes;
}
