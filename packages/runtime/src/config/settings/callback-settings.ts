import { z } from 'zod';

const PLACES = /^\s*(\[[\da-f:.]+\]|[\w.-]+):\d{1,5}(\s*,\s*(\[[\da-f:.]+\]|[\w.-]+):\d{1,5})*\s*$/i;
const GAP_MAX_MS = 7 * 86_400_000;

/** The settings of callbacks, with which clients are told what happens to their recharges. */
export const callbackSettings = {
  /**
   * The gaps before the second and each further attempt, in milliseconds, separated by commas. Unset: nine gaps, from
   * five seconds to a day. It is meant for tests.
   */
  CALLBACK_SCHEDULE_MS: z
    .string()
    .regex(/^\s*\d+(\s*,\s*\d+)*\s*$/, 'is no list of milliseconds, separated by commas')
    .transform((list) => list.split(',').map(Number))
    .refine(
      (gaps) => gaps.length <= 50 && gaps.every((gap) => gap <= GAP_MAX_MS),
      'has too long or too many gaps',
    )
    .optional(),
  /**
   * Targets that may be private or plain HTTP: `host:port`, separated by commas, as the URLs have them. Production
   * refuses it: a client could make us call our own network.
   */
  CALLBACK_ALLOW: z.string().regex(PLACES, 'is no list of host:port, separated by commas').optional(),
  /** Time limit of one post, with the connection and the answer. */
  CALLBACK_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).default(15_000),
  /** An HTTP proxy that all posts go through. Unset: they go out directly. */
  CALLBACK_PROXY: z.url({ protocol: /^http$/ }).optional(),
  /** Days until callbacks that ended are deleted with their events. Until then they can be posted again. */
  CALLBACKS_KEPT_DAYS: z.coerce.number().int().min(7).max(36_500).default(100),
} as const;

export const callbackFaults = (
  { CALLBACK_ALLOW: allowed }: Readonly<{ CALLBACK_ALLOW?: string | undefined }>,
  isProduction: boolean,
): string[] =>
  isProduction && allowed !== undefined
    ? [
        'CALLBACK_ALLOW is for development: in production no callback may go to a private network or by plain HTTP',
      ]
    : [];
