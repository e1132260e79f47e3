import type { NoticeChannel } from '@replenish/domain';
import type { Config } from '@replenish/runtime';
import { createTransport } from 'nodemailer';
import { type Dispatcher, ProxyAgent, request } from 'undici';
import { type ChatForm, dingtalkForm, feishuForm, slackForm, webhookForm } from './chat.js';
import type { Message } from './text.js';

/** Sends a message to one channel. @throws if it did not arrive */
export type SendMessage = (message: Message) => Promise<void>;

export type NoticeSettings = Pick<
  Config,
  | 'NOTIFY_SMTP_URL'
  | 'NOTIFY_EMAIL_FROM'
  | 'NOTIFY_EMAIL_TO'
  | 'NOTIFY_DINGTALK_URL'
  | 'NOTIFY_DINGTALK_SECRET'
  | 'NOTIFY_FEISHU_URL'
  | 'NOTIFY_FEISHU_SECRET'
  | 'NOTIFY_SLACK_URL'
  | 'NOTIFY_WEBHOOK_URL'
  | 'CALLBACK_PROXY'
>;

/** The time of one message, with connection and answer. */
export const SEND_LIMIT_MS = 15_000;
const ANSWER_MAX = 4_096;

/**
 * The channels that are configured. Their addresses are settings of the operator and never input of a client, so they
 * may be in the own network.
 */
export function openChannels(config: NoticeSettings): ReadonlyMap<NoticeChannel, SendMessage> {
  const { NOTIFY_SMTP_URL: smtp, NOTIFY_EMAIL_FROM: from, NOTIFY_EMAIL_TO: to } = config;
  const { NOTIFY_DINGTALK_URL: dingtalk, NOTIFY_FEISHU_URL: feishu, NOTIFY_SLACK_URL: slack } = config;
  const { NOTIFY_WEBHOOK_URL: webhook } = config;
  const chat = (form: ChatForm) => sendToChat(form, config.CALLBACK_PROXY);
  const channels: [NoticeChannel, SendMessage | false | undefined][] = [
    ['email', smtp !== undefined && from !== undefined && to !== undefined && sendByMail(smtp, { from, to })],
    ['dingtalk', dingtalk !== undefined && chat(dingtalkForm(dingtalk, config.NOTIFY_DINGTALK_SECRET))],
    ['feishu', feishu !== undefined && chat(feishuForm(feishu, config.NOTIFY_FEISHU_SECRET))],
    ['slack', slack !== undefined && chat(slackForm(slack))],
    ['webhook', webhook !== undefined && chat(webhookForm(webhook))],
  ];
  return new Map(channels.flatMap(([name, send]) => (send ? [[name, send] as const] : [])));
}

/** Each message has a connection of its own. At most one message per minute is sent. */
function sendByMail(url: string, envelope: Readonly<{ from: string; to: string }>): SendMessage {
  const transport = createTransport({
    url,
    connectionTimeout: SEND_LIMIT_MS / 3,
    greetingTimeout: SEND_LIMIT_MS / 3,
    socketTimeout: SEND_LIMIT_MS / 3,
  });
  return async ({ title, body }) => {
    await transport.sendMail({
      ...envelope,
      ...{ subject: title, text: body, disableFileAccess: true, disableUrlAccess: true },
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
  };
}

function sendToChat(form: ChatForm, proxyUrl: string | undefined): SendMessage {
  const through: { dispatcher?: Dispatcher } = proxyUrl ? { dispatcher: new ProxyAgent(proxyUrl) } : {};
  return async (message) => {
    const { url, body, isTaken } = form(message, new Date());
    const signal = AbortSignal.timeout(SEND_LIMIT_MS);
    const response = await request(url, {
      ...{ method: 'POST', body: JSON.stringify(body), signal, ...through },
      headers: { 'content-type': 'application/json; charset=utf-8' },
    });
    let answer = '';
    for await (const chunk of response.body.setEncoding('utf8')) {
      answer += chunk;
      if (answer.length > ANSWER_MAX) break;
    }
    // The answer may quote the address, which contains a secret, so an error has the status only.
    if (Math.floor(response.statusCode / 100) !== 2)
      throw new Error(`the chat answered ${response.statusCode}`);
    if (!isTaken(answer)) throw new Error(`the chat answered ${response.statusCode} and refused the message`);
  };
}
