import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Counter, type Frame } from '@replenish/runtime';

export type ConnectionsConfig = Readonly<{
  /** Connections that may be open at once, unfinished handshakes of TLS among them. */
  max: number;
  /** How long an answer may wait for its reader. */
  takenWithinMs?: number;
  registry: Frame['registry'];
}>;

// A request that was sent with its connection is here by then.
const YOUNG_MS = 1_000;
// So that looking for the idle ones, which takes a look at all, is not done for every new connection.
const CLOSED_AT_ONCE_SHARE = 0.01;
const LOOK_EVERY_MS = 2_000;
// The largest answer is a script of 1.5 MB: that is 25 kB/s.
const TAKEN_WITHIN_MS = 60_000;

type Connection = {
  socket: ServedSocket;
  readonly openedAtMs: number;
  /** Since when some of an answer waits for its reader; null while none does. */
  owesSinceMs: number | null;
};

/** `_httpMessage` is Node's: the answer under way. */
type ServedSocket = Socket & { _httpMessage?: ServerResponse | null; heardAtMs?: number };

/** Remembers that a connection has just been used for a request. */
export function markUsed(socket: Socket): void {
  (socket as ServedSocket).heardAtMs = performance.now();
}

/**
 * Keeps connections that do nothing from keeping others out. When all places are taken the idle ones are closed to make
 * room: first those that never brought a request, then those that have been idle longest. Whoever reads an answer too
 * slowly loses the connection.
 */
export function watchConnections(server: Server, config: ConnectionsConfig): void {
  const { max, takenWithinMs = TAKEN_WITHIN_MS, registry } = config;
  const open = new Map<string, Connection>();
  const closed = new Counter({
    name: 'replenish_connections_closed_total',
    help: 'Connections closed: idle ones to make room, slow readers, and new ones where there was no room to make.',
    labelNames: ['reason'],
    registers: [registry],
  });
  const makeRoom = (newcomer: Socket): void => {
    const idle = idleOf(open.values(), Math.ceil(max * CLOSED_AT_ONCE_SHARE));
    closed.inc({ reason: 'idle' }, idle.length);
    for (const { socket } of idle) socket.destroy();
    if (idle.length > 0) return;
    closed.inc({ reason: 'refused' });
    newcomer.destroy();
  };
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    const connection = { socket, openedAtMs: performance.now(), owesSinceMs: null };
    open.set(name, connection);
    socket.once('close', () => open.get(name) === connection && open.delete(name));
    if (open.size > max) makeRoom(socket);
  });
  // The same connection, which from now on is used through its encrypted side.
  server.on('secureConnection', (socket: Socket) => {
    const connection = open.get(nameOf(socket));
    if (connection) connection.socket = socket;
  });
  const timer = setInterval(() => {
    const slow = slowOf(open.values(), takenWithinMs);
    closed.inc({ reason: 'slow' }, slow.length);
    for (const { socket } of slow) socket.destroy();
  }, LOOK_EVERY_MS).unref();
  server.once('close', () => clearInterval(timer));
}

/** Connections whose answer has waited too long for its reader, as far as each look saw. */
function slowOf(connections: Iterable<Connection>, takenWithinMs: number): Connection[] {
  const now = performance.now();
  return [...connections].filter((one) => {
    if (!isOwed(one.socket)) one.owesSinceMs = null;
    else one.owesSinceMs ??= now;
    return one.owesSinceMs !== null && now - one.owesSinceMs >= takenWithinMs;
  });
}

/** No two open connections share it, and both sides of an encrypted one have the same. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

const isOwed = ({ _httpMessage: answer, writableLength }: ServedSocket): boolean =>
  writableLength > 0 && answer?.headersSent === true;

function idleOf(connections: Iterable<Connection>, count: number): Connection[] {
  const youngest = performance.now() - YOUNG_MS;
  const lastUse = ({ openedAtMs, socket }: Connection): number => socket.heardAtMs ?? openedAtMs;
  const idle = [...connections].filter((one) => !one.socket._httpMessage && lastUse(one) < youngest);
  const unused = ({ socket }: Connection): number => (socket.heardAtMs === undefined ? 0 : 1);
  return idle.sort((a, b) => unused(a) - unused(b) || lastUse(a) - lastUse(b)).slice(0, count);
}
