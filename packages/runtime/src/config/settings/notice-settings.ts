import { z } from 'zod';
import { milliseconds } from '../numbers.js';

const web = z.url({ protocol: /^https?$/ });
const ADDRESSES = /^\s*[^\s,@<>]+@[^\s,@<>]+(\s*,\s*[^\s,@<>]+@[^\s,@<>]+)*\s*$/;

/**
 * The channels through which the people who run the fleet are told what needs them. Each channel is off until its
 * address is set.
 */
export const noticeSettings = {
  /** The mail server: `smtp://user:password@host:587`, or `smtps://` for TLS from the first byte. */
  NOTIFY_SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  NOTIFY_EMAIL_FROM: z.string().regex(ADDRESSES, 'is no e-mail address').optional(),
  /** The addresses that the mails go to, separated by commas. */
  NOTIFY_EMAIL_TO: z.string().regex(ADDRESSES, 'is no list of e-mail addresses').optional(),
  /** The webhook of a DingTalk robot, with its `access_token`. */
  NOTIFY_DINGTALK_URL: web.optional(),
  /** The secret of the robot's security setting `sign`. Unset: requests are not signed. */
  NOTIFY_DINGTALK_SECRET: z.string().min(1).optional(),
  NOTIFY_FEISHU_URL: web.optional(),
  NOTIFY_FEISHU_SECRET: z.string().min(1).optional(),
  NOTIFY_SLACK_URL: web.optional(),
  /** Takes `{title, text}` as JSON, such as the incoming webhook of a ticket system. */
  NOTIFY_WEBHOOK_URL: web.optional(),
  /**
   * The shortest time between two messages to one channel. What comes meanwhile is sent together. DingTalk takes twenty
   * messages per minute from a robot, Slack one per second.
   */
  NOTIFY_EVERY_MS: milliseconds(0, 86_400_000).default(60_000),
  /** The address at which people reach the console. Links in messages begin with it. Unset: DASHBOARD_HOST and its port. */
  CONSOLE_URL: web.transform((url) => url.replace(/\/+$/, '')).optional(),
} as const;

type NoticeGiven = Readonly<{ [Name in keyof typeof noticeSettings]?: string | number | undefined }>;

const secrets = [
  ['NOTIFY_DINGTALK_SECRET', 'NOTIFY_DINGTALK_URL'],
  ['NOTIFY_FEISHU_SECRET', 'NOTIFY_FEISHU_URL'],
] as const;
const mail = ['NOTIFY_SMTP_URL', 'NOTIFY_EMAIL_FROM', 'NOTIFY_EMAIL_TO'] as const;
const chats = ['NOTIFY_DINGTALK_URL', 'NOTIFY_FEISHU_URL', 'NOTIFY_SLACK_URL', 'NOTIFY_WEBHOOK_URL'] as const;

export function noticeFaults(given: NoticeGiven, isProduction: boolean): string[] {
  const missing = mail.filter((name) => given[name] === undefined);
  const isPartOfMail = missing.length > 0 && missing.length < mail.length;
  const isOn = missing.length === 0 || chats.some((name) => given[name] !== undefined);
  return [
    ...(isPartOfMail ? [`${missing.join(' and ')} must be set, too: notices by e-mail need all three`] : []),
    ...secrets
      .filter(([secret, url]) => given[secret] !== undefined && given[url] === undefined)
      .map(([secret, url]) => `${secret} is set, and ${url} is not`),
    ...(isProduction && isOn && given.CONSOLE_URL === undefined
      ? ['CONSOLE_URL must be set: notices to people link to the console']
      : []),
    ...(isProduction
      ? chats
          .filter((name) => String(given[name] ?? 'https:').startsWith('http:'))
          .map((name) => `${name} must begin with https: in production, since it contains a secret`)
      : []),
  ];
}
