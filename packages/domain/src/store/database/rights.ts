import { UnfitDatabase } from '@replenish/runtime/postgres';
import type pg from 'pg';
import { Prisma } from '../../generated/client.js';
import type { Run } from './database.js';

/** Rights with which a role could switch off the triggers and constraints that guard the books. */
type Excess = Readonly<{ role: string; isSuperuser: boolean; isOwner: boolean; mayCreate: boolean }>;

/**
 * Checks that the processes can use this role: it exists, and is neither a superuser nor the owner, nor a member of the
 * owner.
 * @throws UnfitDatabase whose message says what to do
 */
export async function refuseUnfitRole(
  owner: pg.ClientBase,
  role: string,
  setting: 'DATABASE_APP_ROLE' | 'DATABASE_REPORT_ROLE' = 'DATABASE_APP_ROLE',
): Promise<void> {
  const { rows } = await owner.query<{ owner: string | null; power: string | null }>(rolePowers, [role]);
  const [found] = rows;
  if (!found)
    throw new UnfitDatabase(
      `the server has no role ${role}, which ${setting} names: create role "${role}" login password '...'`,
    );
  const { owner: ownerOfTables, power } = found;
  if (ownerOfTables !== null || power !== null)
    throw new UnfitDatabase(
      `the role ${role}, which ${setting} names, ` +
        (ownerOfTables !== null
          ? `has all rights of ${ownerOfTables}, which owns the tables: `
          : `has the rights of ${power}, with which it could change the books: `) +
        `create another role for ${usersOf[setting]}, not a superuser, and run migrate as the owner`,
    );
}

const usersOf = { DATABASE_APP_ROLE: 'the processes', DATABASE_REPORT_ROLE: 'reading' } as const;

/**
 * An owner of the tables or of this session whose rights the role has, and another power of the role that undoes the
 * guards. Each is null if there is none.
 */
const rolePowers = `
  select
    (select min(owner.rolname)
      from pg_roles owner
      where pg_has_role(role.rolname, owner.oid, 'member')
        and (owner.rolname = current_user or owner.oid in (
          select class.relowner
          from pg_class class
          join pg_namespace space on space.oid = class.relnamespace
          where space.nspname in ('public', 'audit', 'report')))) as owner,
    case
      when role.rolcreaterole then 'CREATEROLE'
      when role.rolreplication then 'REPLICATION'
      when role.rolbypassrls then 'BYPASSRLS'
      else (
        select min(power.rolname)
        from pg_roles power
        where power.rolname in ('pg_write_all_data', 'pg_execute_server_program', 'pg_write_server_files')
          and pg_has_role(role.rolname, power.oid, 'member'))
    end as power
  from pg_roles role
  where role.rolname = $1`;

/** Gives the role of the processes the rights that they need, and takes away all others. It may be repeated. */
export const grantRights = (owner: pg.ClientBase, role: string): Promise<void> =>
  carryOut(owner, statements, role);

/**
 * Gives a role of finance and its tools the right to read the views of schema `report`, and takes away all others. It
 * may be repeated.
 */
export const grantReports = (owner: pg.ClientBase, role: string): Promise<void> =>
  carryOut(owner, reportStatements, role);

async function carryOut(owner: pg.ClientBase, plan: string, role: string): Promise<void> {
  await owner.query('begin');
  try {
    const { rows } = await owner.query<{ sql: string }>(plan, [role]);
    for (const { sql } of rows) await owner.query(sql);
    await owner.query('commit');
  } catch (error) {
    await owner.query('rollback');
    throw error;
  }
}

/**
 * The role may read and write tables, except for writes that a trigger refuses to all roles. So a table that becomes
 * append-only is append-only for the role too. Calls are filed through audit_call, which needs no rights on its
 * partitions.
 */
const statements = `
  with
  guarded as (
    select tgrelid as oid, bool_or(tgtype & 8 > 0) as keeps_rows, bool_or(tgtype & 16 > 0) as keeps_values
    from pg_trigger guard
    join pg_proc refusal on refusal.oid = guard.tgfoid
    where refusal.proname = 'refuse_change' and refusal.pronamespace = 'public'::regnamespace and tgqual is null
    group by tgrelid),
  relation as (
    select
      class.oid,
      class.relkind as kind,
      format('%I.%I', nspname, relname) as name,
      case
        when nspname = 'report' or relname = '_prisma_migrations' then 'select'
        else concat_ws(', ', 'select', 'insert',
          case when keeps_values is not true then 'update' end,
          case when keeps_rows is not true then 'delete' end)
      end as verbs
    from pg_class class
    join pg_namespace space on space.oid = class.relnamespace
    left join guarded on guarded.oid = class.oid
    where nspname in ('public', 'report')
      and pg_has_role(class.relowner, 'usage')
      and not exists (
        select from pg_depend
        where classid = 'pg_class'::regclass and objid = class.oid and deptype = 'e'))
  select 1 as turn, format('grant connect, temporary on database %I to %I', current_database(), $1::text) as sql
  where not has_database_privilege($1, current_database(), 'connect')
    or not has_database_privilege($1, current_database(), 'temporary')
  union all
  select 1, 'revoke create on schema public from public'
  where has_schema_privilege('public', 'public', 'create')
  union all
  select 1, format('revoke all on schema %I from %I', nspname, $1::text) from pg_namespace
  where nspname in ('public', 'audit', 'report')
  union all
  select 2, format('grant usage on schema %I to %I', nspname, $1::text) from pg_namespace
  where nspname in ('public', 'audit', 'report')
  union all
  select 1, format('revoke all on %s from %I', name, $1::text) from relation where kind in ('r', 'p', 'v', 'm')
  union all
  select 2, format('grant %s on %s to %I', verbs, name, $1::text) from relation where kind in ('r', 'p', 'v', 'm')
  union all
  select 2, format('grant usage on sequence %s to %I', name, $1::text) from relation where kind = 'S'
  union all
  select 2, format('grant execute on function %s to %I', function.oid::regprocedure, $1::text)
  from pg_proc function
  where pronamespace = 'public'::regnamespace
    and prorettype <> 'trigger'::regtype
    and pg_has_role(proowner, 'usage')
    and not exists (
      select from pg_depend where classid = 'pg_proc'::regclass and objid = function.oid and deptype = 'e')
  order by turn`;

/** The views work with the rights of their owner, so their reader needs no right on a table. */
const reportStatements = `
  with relation as (
    select class.relkind as kind, nspname as space, format('%I.%I', nspname, relname) as name
    from pg_class class
    join pg_namespace space on space.oid = class.relnamespace
    where nspname in ('public', 'audit', 'report')
      and class.relkind in ('r', 'p', 'v', 'm', 'S')
      and pg_has_role(class.relowner, 'usage'))
  select 1 as turn, format('grant connect on database %I to %I', current_database(), $1::text) as sql
  where not has_database_privilege($1, current_database(), 'connect')
  union all
  select 1, format('revoke all on schema %I from %I', nspname, $1::text) from pg_namespace
  where nspname in ('public', 'audit', 'report')
  union all
  select 1, format('revoke all on %s %s from %I', case kind when 'S' then 'sequence' else 'table' end, name, $1::text)
  from relation
  union all
  select 2, format('grant usage on schema report to %I', $1::text)
  union all
  select 2, format('grant select on %s to %I', name, $1::text) from relation
  where space = 'report' and kind in ('v', 'm')
  order by turn`;

/** The rights of this session's role that it does not need, in words for an operator. Null if it has none. */
export async function excessOfRole(run: Run): Promise<string | null> {
  const [found] = await run<Excess>(Prisma.sql`
    select
      current_user::text as role,
      current_setting('is_superuser') = 'on' as "isSuperuser",
      exists (
        select from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and pg_has_role(relowner, 'usage')
      ) as "isOwner",
      has_schema_privilege('public', 'create') as "mayCreate"`);
  if (!found) throw new Error('Postgres answered no row about the role');
  const { role, isSuperuser, isOwner, mayCreate } = found;
  const can = isSuperuser
    ? 'is a superuser'
    : isOwner
      ? 'owns the tables'
      : mayCreate
        ? 'may create objects in schema public'
        : null;
  return can === null
    ? null
    : `the role ${role} of DATABASE_URL ${can}, so it could switch off the triggers that guard the books: give the ` +
        'processes a role of their own (docs/operations.md, "Roles")';
}
