import { Prisma } from '../../generated/client.js';

/** Postgres types that rows travel in, with the type that each has in this process. */
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

/** A column that is a list of rows. It travels as `jsonb`. */
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

/** The row that a list of columns describes: `Row<typeof planColumns>`. */
export type Row<C> = C extends Columns<infer S> ? RowOf<S> : never;

/**
 * The columns of rows that a statement is given, written once: they are the type of a row in this process, its JSON, and
 * the column list that Postgres reads it with. A misspelt name does not compile; written apart it was a null.
 */
export interface Columns<S extends Shape> {
  /** `"id" uuid, "amountMinor" bigint`, for `jsonb_to_recordset(...) as row(...)`. */
  readonly list: Prisma.Sql;
  /** `(select * from jsonb_to_recordset(...))`, to be named by the statement. */
  from(rows: readonly RowOf<S>[]): Prisma.Sql;
  /** The rows in the form that JSON can hold: bigints as text. */
  plain(rows: readonly RowOf<S>[]): readonly object[];
}

/** A name with `?` behind its type may be null. */
export function columns<const S extends Shape>(shape: S): Columns<S> {
  const names = Object.entries<Type>(shape).map(([name, type]) => `"${name}" ${sqlTypeOf(type)}`);
  const list = Prisma.raw(names.join(', '));
  const plain = plainer(shape);
  return {
    list,
    plain,
    from: (rows) => Prisma.sql`(
      select * from jsonb_to_recordset(${JSON.stringify(plain(rows))}::jsonb) as input(${list}))`,
  };
}

const sqlTypeOf = (type: Type): string => (typeof type === 'string' ? type.replace('?', '') : 'jsonb');

/** Only columns that JSON cannot hold are touched: a replacer would be asked about every field of every row. */
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
