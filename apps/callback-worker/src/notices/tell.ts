import { setTimeout as delay } from 'node:timers/promises';
import type { Domain, NoticeChannel } from '@replenish/domain';
import { Counter, crashPoint, type Frame, type Logger } from '@replenish/runtime';
import { SEND_LIMIT_MS, type SendMessage } from './channels.js';
import { messageOf } from './text.js';

export type NoticeCounter = Counter<'channel' | 'result'>;

export type TellDeps = Readonly<{
  notices: Pick<Domain['notices'], 'take' | 'file'>;
  channels: ReadonlyMap<NoticeChannel, SendMessage>;
  everyMs: number;
  consoleUrl: string;
  counter: NoticeCounter;
  log: Logger;
}>;

export const openNoticeCounter = (registry: Frame['registry']): NoticeCounter =>
  new Counter({
    name: 'replenish_notices_total',
    help: 'Messages to people by channel and result: sent, again (it is sent again) or failed.',
    labelNames: ['channel', 'result'],
    registers: [registry],
  });

// The time for the claim and for filing the result. A worker that dies in the middle sends the message again.
const LEASE_MARGIN_MS = 5_000;

/**
 * Returns a function that sends the due notices of a channel in one message. If two jobs run at the same time, the
 * notices are sent once.
 */
export function teller(deps: TellDeps): (channel: string) => Promise<undefined> {
  const { notices, channels, everyMs, consoleUrl, counter, log } = deps;
  const leaseMs = SEND_LIMIT_MS + LEASE_MARGIN_MS;
  return async (channel) => {
    const send = channels.get(channel as NoticeChannel);
    if (!send) return;
    const taken = await notices.take(channel, { everyMs, leaseMs });
    if (taken.length === 0) return;
    crashPoint('notice.after-claim');
    const error = await send(messageOf(taken, consoleUrl)).then(
      () => null,
      (failure: unknown) => failureWords(failure),
    );
    crashPoint('notice.after-send');
    const result = await notices.file(taken, error === null);
    counter.inc({ channel, result });
    if (error === null) log.info({ channel, notices: taken.length }, 'people were told');
    else
      log[result === 'failed' ? 'error' : 'warn'](
        { channel, notices: taken.length, error, result },
        'a message to people did not arrive',
      );
    return;
  };
}

export type KeepOpenDeps = Readonly<{
  notices: Pick<Domain['notices'], 'openChannels'>;
  channels: ReadonlyMap<NoticeChannel, unknown>;
  log: Logger;
}>;

// The open channels are written to the database at this interval. So after a change of the settings the whole fleet has
// the new channels within a minute, whichever of its workers started last.
const OPEN_EVERY_MS = 30_000;
const OPEN_AGAIN_MS = 1_000;

/**
 * Writes to the database which channels are open, until it is closed. While the database is away, the write is delayed.
 */
export function keepOpen({ notices, channels, log }: KeepOpenDeps): () => Promise<void> {
  const ending = new AbortController();
  const openOnce = () =>
    notices.openChannels([...channels.keys()]).then(
      () => OPEN_EVERY_MS,
      (error: unknown) => {
        log.warn({ err: error }, 'the channels of notices were not opened; they are tried again');
        return OPEN_AGAIN_MS;
      },
    );
  const loop = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const pauseMs = await openOnce();
      await delay(pauseMs, undefined, { signal: ending.signal, ref: false }).catch(() => {});
    }
  };
  const running = loop();
  return async () => {
    ending.abort();
    await running;
  };
}

/** An error of a mail server may quote the message or the login, so only its code is kept. */
function failureWords(failure: unknown): string {
  const { code, responseCode, message } = failure as {
    code?: string;
    responseCode?: number;
    message?: string;
  };
  return [code, responseCode].filter((word) => word !== undefined).join(' ') || (message ?? 'failed');
}
