import { createHmac } from 'node:crypto';
import type { Message } from './text.js';

/**
 * A request to a chat, and the check whether the answer accepts it. Chats answer a refused request with status 200 and
 * an error code.
 */
export type ChatRequest = Readonly<{ url: string; body: object; isTaken: (answer: string) => boolean }>;

export type ChatForm = (message: Message, now: Date) => ChatRequest;

const textOf = ({ title, body }: Message): string => `${title}\n\n${body}`;

/** A field of a JSON answer. @throws if the answer is no JSON object, so that it counts as a refusal */
const fieldOf = (answer: string, name: string): unknown => {
  try {
    return (JSON.parse(answer) as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
};

/**
 * The form of DingTalk's robots. The signature is the base64 of HMAC-SHA256 over `<milliseconds>\n<secret>`, with the
 * secret as its key.
 * Source: open.dingtalk.com/document/robots/customize-robot-security-settings
 */
export const dingtalkForm =
  (address: string, secret: string | undefined): ChatForm =>
  (message, now) => {
    const url = new URL(address);
    if (secret !== undefined) {
      const timestamp = String(now.getTime());
      url.searchParams.set('timestamp', timestamp);
      url.searchParams.set(
        'sign',
        createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64'),
      );
    }
    return {
      url: url.href,
      body: { msgtype: 'text', text: { content: textOf(message) } },
      isTaken: (answer) => fieldOf(answer, 'errcode') === 0,
    };
  };

/**
 * The form of Feishu's bots. The signature is the base64 of HMAC-SHA256 over nothing, with `<seconds>\n<secret>` as its
 * key. `<` is escaped, so that a name in the text cannot mention a person. Source:
 * open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
 */
export const feishuForm =
  (address: string, secret: string | undefined): ChatForm =>
  (message, now) => {
    const timestamp = String(Math.floor(now.getTime() / 1_000));
    const signed = secret !== undefined && {
      timestamp,
      sign: createHmac('sha256', `${timestamp}\n${secret}`).update('').digest('base64'),
    };
    return {
      url: address,
      body: { ...signed, msg_type: 'text', content: { text: textOf(message).replaceAll('<', '＜') } },
      isTaken: (answer) => fieldOf(answer, 'code') === 0 || fieldOf(answer, 'StatusCode') === 0,
    };
  };

/**
 * The form of Slack's incoming webhooks. Three characters are escaped, so that a name in the text cannot mention a
 * person. Source: docs.slack.dev/messaging/formatting-message-text
 */
export const slackForm =
  (address: string): ChatForm =>
  (message) => ({
    url: address,
    body: {
      text: textOf(message).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    },
    isTaken: (answer) => answer.trim() === 'ok',
  });

/** A receiver of tickets, or anything else that takes JSON. Any 2xx status accepts the message. */
export const webhookForm =
  (address: string): ChatForm =>
  ({ title, body }) => ({ url: address, body: { title, text: body }, isTaken: () => true });
