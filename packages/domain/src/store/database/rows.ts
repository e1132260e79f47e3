import { Prisma } from '../../generated/client.js';

/** The Postgres types of columns, each with its type in this process. */
interface Types {
  uuid: string;
  text: string;
  int: number;
  bigint: bigint;
  float8: number;
  boolean: boolean;
  timestamptz: Date;
  jsonb: object;
}

/** A column that holds a list of rows. Its type in Postgres is `jsonb`. */
type List = Columns<Shape>;
type Type = keyof Types | `${keyof Types}?` | List;
type Shape = Readonly<Record<string, Type>>;

type ValueOf<T extends Type> = T extends keyof Types
  ? Types[T]
  : T extends `${infer Some extends keyof Types}?`
    ? Types[Some] | null
    : T extends Columns<infer S>
      ? readonly RowOf<S>[]
      : never;

type RowOf<S extends Shape> = { readonly [Name in keyof S]: ValueOf<S[Name]> };

/** The type of a row with these columns: `Row<typeof planColumns>`. */
export type Row<C> = C extends Columns<infer S> ? RowOf<S> : never;

/**
 * The columns of the rows that a statement receives. One list gives the type of a row in this process, its JSON, and
 * the column list with which Postgres reads the JSON. So a misspelt name does not compile. With separate lists, a
 * misspelt name would yield null.
 */
export interface Columns<S extends Shape> {
  /** `"id" uuid, "amountMinor" bigint`, for `jsonb_to_recordset(...) as row(...)`. */
  readonly list: Prisma.Sql;
  /** The rows as a relation: `(select unnest(...) as "id", ...)`. The statement gives it a name. */
  from(rows: readonly RowOf<S>[]): Prisma.Sql;
  /** The rows in a form that JSON can hold, with bigints as text. */
  plain(rows: readonly RowOf<S>[]): readonly object[];
  /** The rows as JSON, for a statement that reads them as a relation. Columns that are null are left out. */
  json(rows: readonly RowOf<S>[]): string;
}

/** A column whose type ends in `?` may be null. */
export function columns<const S extends Shape>(shape: S): Columns<S> {
  const names = Object.entries<Type>(shape).map(([name, type]) => `"${name}" ${sqlTypeOf(type)}`);
  return {
    list: Prisma.raw(names.join(', ')),
    plain: plainer(shape),
    json: writer(shape),
    from: relation(shape),
  };
}

/**
 * Sends an array per column. For one JSON text of all rows, Postgres took twice the time: it makes a hash table of each
 * row, and looks each column up in it.
 *
 * `unnest` stands beside `unnest` in a list of columns, where Postgres reads the arrays side by side. In `from` it would
 * first store each array as a table. `offset 0` hides the lengths of the arrays from the planner, so that it plans a
 * named statement once and not for each number of rows.
 */
function relation<S extends Shape>(shape: S): (rows: readonly RowOf<S>[]) => Prisma.Sql {
  const parts = Object.entries<Type>(shape).map(([name, type]) => ({
    name,
    type,
    element: elementOf(type),
  }));
  const reads = parts.map(({ name }, at) => `unnest(_${at}) as "${name}"`).join(', ');
  const texts = parts.map(({ type }, at) => `::${sqlTypeOf(type)}[] as _${at}${parts[at + 1] ? ', ' : ''}`);
  const [last] = texts.splice(-1);
  const strings = [`(select ${reads} from (select `, ...texts, `${last} offset 0) given)`];
  return (rows) => Prisma.sql(strings, ...parts.map((part, at) => arrayOf(rows, part, at === 0)));
}

/**
 * The nulls after the last value are left out: beside a longer array, Postgres reads them as null. Most columns of most
 * rows are null, and with all nulls written, a batch of reports had a fifth more bytes and took a tenth more time. The
 * first array has an element for each row, so that no row is lost.
 */
function arrayOf(
  rows: readonly Readonly<Record<string, unknown>>[],
  { name, element }: Readonly<{ name: string; element: (value: unknown) => string }>,
  isWhole: boolean,
): string {
  let text = '';
  let nulls = '';
  for (const row of rows) {
    const value = row[name];
    if (value === null || value === undefined) {
      nulls += ',null';
    } else {
      text += `${nulls},${element(value)}`;
      nulls = '';
    }
  }
  return `{${(isWhole ? text + nulls : text).slice(1)}}`;
}

/** The texts of these types hold nothing that ends an element of an array. */
const plainTypes: readonly string[] = ['int', 'bigint', 'float8', 'boolean', 'timestamptz'];

/** Writes an element of an array. Plain types have no quotes. All others have, so none can end its array. */
function elementOf(type: Type): (value: unknown) => string {
  const write = textOf(type);
  const sqlType = sqlTypeOf(type);
  if (plainTypes.includes(sqlType)) return write;
  // JSON holds no raw control character, so its text as a JSON string is its text as an element.
  if (sqlType === 'jsonb') return (value) => JSON.stringify(write(value));
  return (value) => quoted(write(value));
}

const ESCAPED = /["\\]/;

/** @throws for half a surrogate pair. The driver would replace it, and the stored text would be another one. */
function quoted(text: string): string {
  if (!text.isWellFormed()) throw new UnstorableText('half a surrogate pair cannot be stored');
  return ESCAPED.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}

/** A text that Postgres would refuse, with Postgres' code for a character that it does not know. */
class UnstorableText extends Error {
  readonly code = '22021';
}

const textOf = (type: Type): ((value: unknown) => string) => {
  if (typeof type !== 'string') return (rows) => type.json(rows as readonly never[]);
  const sqlType = sqlTypeOf(type);
  if (sqlType === 'jsonb') return JSON.stringify;
  return sqlType === 'timestamptz' ? (time) => (time as Date).toISOString() : String;
};

const sqlTypeOf = (type: Type): string => (typeof type === 'string' ? type.replace('?', '') : 'jsonb');

/**
 * Converts only the columns that JSON cannot hold. A replacer of JSON.stringify would be called for each field of each
 * row.
 */
function plainer(shape: Shape): (rows: readonly object[]) => readonly object[] {
  const entries = Object.entries(shape);
  const bigints = entries.filter(([, type]) => sqlTypeOf(type) === 'bigint').map(([name]) => name);
  const lists = entries.flatMap(([name, type]) => (typeof type === 'string' ? [] : [{ name, of: type }]));
  if (bigints.length + lists.length === 0) return (rows) => rows;
  return (rows) =>
    rows.map((row) => {
      const copy: Record<string, unknown> = { ...row };
      for (const name of bigints) if (copy[name] !== null) copy[name] = String(copy[name]);
      for (const { name, of } of lists) copy[name] = of.plain(copy[name] as readonly never[]);
      return copy;
    });
}

/**
 * Leaves out the columns that are null, which `jsonb_to_recordset` reads as null.
 *
 * The text is put together here. An object without the columns that are null, for JSON.stringify, took this process
 * twice the time.
 */
function writer(shape: Shape): (rows: readonly object[]) => string {
  const parts = Object.entries<Type>(shape).map(([name, type]) => ({
    name,
    label: `${JSON.stringify(name)}:`,
    write: writerOf(type),
  }));
  const textOf = (row: Readonly<Record<string, unknown>>): string => {
    let text = '';
    for (const { name, label, write } of parts) {
      const value = row[name];
      if (value !== null && value !== undefined) text += `${text && ','}${label}${write(value)}`;
    }
    return `{${text}}`;
  };
  return (rows) => `[${(rows as readonly Record<string, unknown>[]).map(textOf).join()}]`;
}

const writerOf = (type: Type): ((value: unknown) => string) => {
  if (typeof type !== 'string') return (rows) => type.json(rows as readonly never[]);
  const sqlType = sqlTypeOf(type);
  if (sqlType === 'bigint') return (value) => `"${value}"`;
  if (sqlType === 'timestamptz') return (time) => `"${(time as Date).toISOString()}"`;
  return sqlType === 'int' || sqlType === 'boolean' ? String : JSON.stringify;
};

/** A time as text for JSON, in the form that JavaScript's toISOString gives. */
export const utc = (column: string): Prisma.Sql =>
  Prisma.raw(`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`);
