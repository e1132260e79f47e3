import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { NoticeChannel } from '@replenish/domain';
import { SMTPServer } from 'smtp-server';
import { type NoticeSettings, openChannels } from '../../src/notices/channels.js';

type Asked = Readonly<{ url: URL; body: Record<string, unknown> }>;

// The fake chats refuse a message that is not signed with these secrets.
const DINGTALK_SECRET = 'SEC000000000000000000000';
const FEISHU_SECRET = 'feishu-secret';
const HOUR_MS = 3_600_000;

const message = { title: 'Replenish: a rule paused', body: '- the rule of <!here> & "acct" paused' };
const text = `${message.title}\n\n${message.body}`;

let asked: Asked[];
let answer: (of: Asked) => string | [number, string];
let server: Server;
let base: string;

beforeEach(async () => {
  asked = [];
  answer = judge;
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const one = { url: new URL(request.url!, base), body: JSON.parse(body) };
    asked.push(one);
    const answered = answer(one);
    const [status, words] = typeof answered === 'string' ? [200, answered] : answered;
    response.writeHead(status, { location: `${base}/elsewhere` }).end(words);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const hmac = (key: string, words: string) => createHmac('sha256', key).update(words).digest('base64');

/** Answers as the three vendors do: 200 with a code, also to what they refuse. */
function judge({ url, body }: Asked): string {
  if (url.pathname === '/robot/send') {
    const timestamp = url.searchParams.get('timestamp') ?? '';
    const isSigned =
      url.searchParams.get('sign') === hmac(DINGTALK_SECRET, `${timestamp}\n${DINGTALK_SECRET}`) &&
      Math.abs(Date.now() - Number(timestamp)) < HOUR_MS &&
      url.searchParams.get('access_token') === 'token';
    return JSON.stringify(
      isSigned ? { errcode: 0, errmsg: 'ok' } : { errcode: 310000, errmsg: 'sign not match' },
    );
  }
  if (url.pathname === '/open-apis/bot/v2/hook/token') {
    const { timestamp, sign } = body as { timestamp?: string; sign?: string };
    const isSigned =
      sign === hmac(`${timestamp}\n${FEISHU_SECRET}`, '') &&
      Math.abs(Date.now() - Number(timestamp) * 1_000) < HOUR_MS;
    return JSON.stringify(isSigned ? { code: 0, msg: 'success' } : { code: 19021, msg: 'sign match fail' });
  }
  return url.pathname === '/services/T/B/token' ? 'ok' : 'no_service';
}

const settings = (over: Partial<NoticeSettings> = {}) => ({
  NOTIFY_DINGTALK_URL: `${base}/robot/send?access_token=token`,
  NOTIFY_DINGTALK_SECRET: DINGTALK_SECRET,
  NOTIFY_FEISHU_URL: `${base}/open-apis/bot/v2/hook/token`,
  NOTIFY_FEISHU_SECRET: FEISHU_SECRET,
  NOTIFY_SLACK_URL: `${base}/services/T/B/token`,
  ...over,
});
const send = (channel: NoticeChannel, given: object = settings()) =>
  openChannels(given as NoticeSettings).get(channel)!(message);

test('each channel is off until it is configured', () => {
  expect([...openChannels({} as NoticeSettings).keys()]).toEqual([]);
  expect([...openChannels(settings() as NoticeSettings).keys()]).toEqual(['dingtalk', 'feishu', 'slack']);
});

test('DingTalk takes the message by its signature', async () => {
  await send('dingtalk');
  expect(asked[0]!.body).toEqual({ msgtype: 'text', text: { content: text } });
  const wrong = send('dingtalk', settings({ NOTIFY_DINGTALK_SECRET: 'other' }));
  await expect(wrong).rejects.toThrow('refused the message');
});

test('Feishu takes the message by its signature, and a name cannot mention everybody', async () => {
  await send('feishu');
  const { body } = asked[0]!;
  expect(body).toMatchObject({ msg_type: 'text', content: { text: text.replace('<', '＜') } });
  const wrong = send('feishu', settings({ NOTIFY_FEISHU_SECRET: 'other' }));
  await expect(wrong).rejects.toThrow('refused the message');
});

test('Slack takes the message, and a name cannot mention everybody', async () => {
  await send('slack');
  expect(asked[0]!.body).toEqual({
    text: text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;'),
  });
});

test('a webhook takes title and text as JSON, and may answer 201', async () => {
  answer = () => [201, ''];
  await send('webhook', settings({ NOTIFY_WEBHOOK_URL: `${base}/tickets` }));
  expect([asked[0]!.url.pathname, asked[0]!.body]).toEqual([
    '/tickets',
    { title: message.title, text: message.body },
  ]);
  answer = () => [500, ''];
  await expect(send('webhook', settings({ NOTIFY_WEBHOOK_URL: `${base}/tickets` }))).rejects.toThrow(
    'answered 500',
  );
});

test('a redirect is not followed, and no error names the address with its token', async () => {
  for (const status of [302, 404, 500]) {
    answer = () => [status, 'go away, token'];
    const failed = await send('slack').catch((error: Error) => error.message);
    expect(failed).toBe(`the chat answered ${status}`);
  }
  answer = () => 'an answer that is no JSON, with a token';
  for (const channel of ['dingtalk', 'feishu', 'slack'] as const)
    await expect(send(channel)).rejects.toThrow('the chat answered 200 and refused the message');
  expect(asked.some(({ url }) => url.pathname === '/elsewhere')).toBe(false);
});

test('mail goes to all addresses as plain text, and a server that refuses is an error', async () => {
  const mails: { to: string[]; login: string; text: string }[] = [];
  const smtp = new SMTPServer({
    authOptional: false,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      password === 'secret' ? done(null, { user: username }) : done(new Error('no')),
    onData: (stream, { envelope, user }, done) => {
      let all = '';
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => {
        all += chunk;
      });
      stream.on('end', () => {
        mails.push({ to: envelope.rcptTo.map(({ address }) => address), login: String(user), text: all });
        done();
      });
    },
  });
  const listening = smtp.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const mail = (password: string) => ({
    NOTIFY_SMTP_URL: `smtp://replenish:${password}@127.0.0.1:${(listening.address() as AddressInfo).port}`,
    NOTIFY_EMAIL_FROM: 'replenish@example.com',
    NOTIFY_EMAIL_TO: 'ops@example.com, finance@example.com',
  });
  try {
    await send('email', mail('secret'));
    expect(mails).toHaveLength(1);
    const [{ to, login, text: sent }] = mails as [(typeof mails)[0]];
    expect([to, login]).toEqual([['ops@example.com', 'finance@example.com'], 'replenish']);
    expect(sent).toContain(`Subject: ${message.title}`);
    expect(sent).toContain('Content-Type: text/plain');
    expect(sent).toContain(message.body);
    await expect(send('email', mail('wrong'))).rejects.toThrow();
    expect(mails).toHaveLength(1);
  } finally {
    await new Promise<void>((resolve) => smtp.close(() => resolve()));
  }
});
