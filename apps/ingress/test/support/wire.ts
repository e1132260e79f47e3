import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** `cut` resolves with the time of closing, on the clock of `performance`. */
export type Connection = Readonly<{ socket: Socket; heard: () => string; cut: Promise<number> }>;

/** Opens raw connections and collects what they receive. `drop` closes all of them. */
export function openWire(): { open: (url: string) => Promise<Connection>; drop: () => void } {
  const sockets: Socket[] = [];
  const open = async (url: string): Promise<Connection> => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    sockets.push(socket);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', () => {});
    // `once` of node:events would reject when a write hits a connection that was just cut.
    const cut = new Promise<number>((resolve) => socket.once('close', () => resolve(performance.now())));
    await once(socket, 'connect');
    return { socket, heard: () => text, cut };
  };
  return {
    open,
    drop: () => {
      for (const socket of sockets.splice(0)) socket.destroy();
    },
  };
}

export const statusesOf = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
