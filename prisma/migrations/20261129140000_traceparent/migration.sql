-- The W3C traceparent of the request that asked for a recharge, while traces are on. What continues the recharge later,
-- without a job that carries it, links its own trace to this one. A nullable column rewrites no table, so this is safe
-- on a live one.
alter table recharge_request
  add column traceparent text;
