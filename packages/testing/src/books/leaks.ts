import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';

/** Texts that must not appear anywhere, with a search that finds them in all usual encodings. */
export class Canaries {
  readonly #forms = new Map<string, readonly string[]>();

  /** Adds a text and returns it. @throws for a text so short that it may appear by chance */
  plant(what: string, text: string): string {
    if (text.length < 12) throw new Error(`${what} is too short for a canary`);
    this.#forms.set(what, formsOf(text));
    return text;
  }

  /** The planted texts inside `text`, each with its surroundings. */
  foundIn(text: string): string[] {
    return [...this.#forms].flatMap(([what, forms]) => {
      const at = forms.map((form) => text.indexOf(form)).find((place) => place >= 0);
      return at === undefined ? [] : [`${what}: ...${text.slice(Math.max(0, at - 80), at + 80)}...`];
    });
  }
}

/** The text itself, its URL form, its hex form as Postgres prints bytes, and its base64 forms at each offset. */
function formsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  const inBase64 = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  const inBase64url = inBase64.map((one) => one.replaceAll('+', '-').replaceAll('/', '_'));
  return [text, encodeURIComponent(text), bytes.toString('hex'), ...inBase64, ...inBase64url];
}

/** All rows of all tables of all schemas as text, the tables of the queues included. */
export async function dumpTables(databaseUrl: string): Promise<string> {
  const db = new pg.Client({ connectionString: databaseUrl });
  await db.connect();
  try {
    const tables = await db.query<{ name: string }>(
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
        where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
    );
    const dumps: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await db.query<{ row: string }>(`select t::text as row from ${name} t`);
      dumps.push(name, ...rows.map(({ row }) => row));
    }
    return dumps.join('\n');
  } finally {
    await db.end();
  }
}

const EVERY_KEY = `
  local all = {}
  for _, key in ipairs(redis.call('keys', '*')) do
    local kind = redis.call('type', key).ok
    local value = ''
    if kind == 'string' then value = redis.call('get', key)
    elseif kind == 'hash' then value = redis.call('hgetall', key)
    elseif kind == 'list' then value = redis.call('lrange', key, 0, -1)
    elseif kind == 'set' then value = redis.call('smembers', key)
    elseif kind == 'zset' then value = redis.call('zrange', key, 0, -1)
    elseif kind == 'stream' then value = redis.call('xrange', key, '-', '+') end
    all[#all + 1] = { key, value }
  end
  return all`.replace(/\s+/g, ' ');

/** All keys and values of a Redis database, in Redis's own protocol, which leaves texts as they are. */
export async function dumpRedis(url: string): Promise<string> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port || 6379), hostname);
  await once(socket, 'connect');
  socket.end(`SELECT ${pathname.slice(1) || 0}\r\nEVAL "${EVERY_KEY}" 0\r\nQUIT\r\n`);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  if (!answer.startsWith('+OK\r\n*')) throw new Error(`Redis answered ${answer.slice(0, 200)}`);
  return answer;
}

/** The names and contents of all files below a folder. */
export function dumpFiles(folder: string): string {
  return readdirSync(folder, { withFileTypes: true })
    .map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return dumpFiles(path);
      return entry.isFile() ? `${path}\n${readFileSync(path, 'latin1')}` : path;
    })
    .join('\n');
}
