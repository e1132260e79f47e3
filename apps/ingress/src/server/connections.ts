import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Counter, type Frame } from '@replenish/runtime';

export type ConnectionsConfig = Readonly<{
  /** Connections that may be open at the same time, including unfinished TLS handshakes. */
  max: number;
  /** The time for which unread bytes of an answer may wait for the client. */
  takenWithinMs?: number;
  registry: Frame['registry'];
}>;

// A connection does not count as idle before this age. A client that sends a request immediately has sent it by then.
const YOUNG_MS = 1_000;
// To find idle connections, all connections are examined. So several are closed together, and the next new connections
// need no search.
const CLOSED_AT_ONCE_SHARE = 0.01;
const LOOK_EVERY_MS = 2_000;
// A client must read at least 25 kB/s of the largest answer, a script of 1.5 MB.
const TAKEN_WITHIN_MS = 60_000;

type Connection = {
  socket: ServedSocket;
  readonly openedAtMs: number;
  /** The time since which bytes of an answer wait for the client. Null while no bytes wait. */
  unreadSinceMs: number | null;
};

/** `_httpMessage`, which is internal to Node, is the answer in progress. */
type ServedSocket = Socket & { _httpMessage?: ServerResponse | null; usedAtMs?: number };

/** Notes the time of the last request on the connection. */
export function markUsed(socket: Socket): void {
  (socket as ServedSocket).usedAtMs = performance.now();
}

/**
 * Keeps idle connections from blocking new ones. When the limit is exceeded, idle connections are closed: first those
 * that never sent a request, then those that have been idle longest.
 * A client that reads its answer too slowly loses its connection.
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
    const connection = { socket, openedAtMs: performance.now(), unreadSinceMs: null };
    open.set(name, connection);
    socket.once('close', () => open.get(name) === connection && open.delete(name));
    if (open.size > max) makeRoom(socket);
  });
  // After the handshake the requests of the connection come from its TLS socket.
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

/** The connections whose answer has waited too long. The time counts from the first check that found it waiting. */
function slowOf(connections: Iterable<Connection>, takenWithinMs: number): Connection[] {
  const now = performance.now();
  return [...connections].filter((one) => {
    if (!hasUnreadBytes(one.socket)) one.unreadSinceMs = null;
    else one.unreadSinceMs ??= now;
    return one.unreadSinceMs !== null && now - one.unreadSinceMs >= takenWithinMs;
  });
}

/** The name of a connection. It is unique among open connections, and equal for the TCP socket and the TLS socket. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

const hasUnreadBytes = ({ _httpMessage: answer, writableLength }: ServedSocket): boolean =>
  writableLength > 0 && answer?.headersSent === true;

function idleOf(connections: Iterable<Connection>, count: number): Connection[] {
  const youngest = performance.now() - YOUNG_MS;
  const lastUse = ({ openedAtMs, socket }: Connection): number => socket.usedAtMs ?? openedAtMs;
  const idle = [...connections].filter((one) => !one.socket._httpMessage && lastUse(one) < youngest);
  const unused = ({ socket }: Connection): number => (socket.usedAtMs === undefined ? 0 : 1);
  return idle.sort((a, b) => unused(a) - unused(b) || lastUse(a) - lastUse(b)).slice(0, count);
}
