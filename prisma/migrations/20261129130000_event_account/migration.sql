-- The account of ours at the provider whose secret fits the event. Null: it was stored by a release that knew one account
-- per provider. A column without a default is added without reading the table.
alter table webhook_event add column provider_account text;
