CREATE ROLE rich_owner; CREATE ROLE rich_reader;
ALTER DATABASE :"DBNAME" OWNER TO rich_owner;
CREATE EXTENSION pg_trgm; CREATE EXTENSION hstore;
COMMENT ON DATABASE :"DBNAME" IS 'the rich one';
GRANT CONNECT ON DATABASE :"DBNAME" TO rich_reader;
ALTER DATABASE :"DBNAME" SET work_mem='8MB';
CREATE SCHEMA app AUTHORIZATION rich_owner;
CREATE TYPE app.mood AS ENUM ('ok','bad');
CREATE DOMAIN app.posint AS int CHECK (VALUE > 0);
CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
 RETURN NEW; END $$;
CREATE TABLE app.users (id serial PRIMARY KEY, name text UNIQUE, m app.mood DEFAULT 'ok', h hstore);
ALTER TABLE app.users OWNER TO rich_owner;
CREATE TABLE app.orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int NOT NULL REFERENCES app.users, amount numeric, at timestamptz default now());
CREATE INDEX orders_user ON app.orders(user_id);
CREATE INDEX users_trgm ON app.users USING gin (name gin_trgm_ops);
CREATE STATISTICS app.st ON user_id, amount FROM app.orders;
ALTER TABLE app.orders ADD CONSTRAINT amount_pos CHECK (amount >= 0) NOT VALID;
CREATE TRIGGER tr BEFORE INSERT ON app.orders FOR EACH ROW EXECUTE FUNCTION app.f();
CREATE TABLE app.measures (at date NOT NULL, v int, id int) PARTITION BY RANGE (at);
CREATE TABLE app.measures_25 PARTITION OF app.measures FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE app.measures_26 PARTITION OF app.measures FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX measures_at ON app.measures(at);
ALTER TABLE app.measures ADD PRIMARY KEY (id, at);
CREATE VIEW app.v AS SELECT * FROM app.users;
CREATE MATERIALIZED VIEW app.mv AS SELECT count(*) AS n FROM app.orders;
CREATE UNIQUE INDEX mv_n ON app.mv(n);
COMMENT ON TABLE app.users IS 'people'; COMMENT ON COLUMN app.users.name IS 'who'; COMMENT ON INDEX app.orders_user IS 'ix';
GRANT SELECT ON app.users TO rich_reader; GRANT SELECT (name) ON app.v TO rich_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO rich_reader;
CREATE TABLE public."we ird
na""me" (id int PRIMARY KEY, "co l" text);
CREATE INDEX "i x
y" ON public."we ird
na""me"("co l");
CREATE TABLE public."INDEX x" (id int PRIMARY KEY);
CREATE SEQUENCE public.lonely START 5; SELECT nextval('public.lonely');
CREATE RULE r AS ON DELETE TO app.orders DO INSTEAD NOTHING;
ALTER TABLE app.users ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON app.users USING (true);
CREATE PUBLICATION pub FOR TABLE app.users;
CREATE FUNCTION public.evt() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE EVENT TRIGGER et ON ddl_command_end EXECUTE FUNCTION public.evt();
CREATE TABLE app.excl (r int4range, EXCLUDE USING gist (r WITH &&));
CREATE TABLE app.self (id int PRIMARY KEY, parent int REFERENCES app.self);
CREATE CAST (app.mood AS text) WITH INOUT;
INSERT INTO app.users(name) SELECT 'u'||g FROM generate_series(1,2000) g;
INSERT INTO app.orders(user_id,amount) SELECT 1+g%2000, g FROM generate_series(1,20000) g;
INSERT INTO app.measures SELECT '2025-06-01'::date + (g%400), g, g FROM generate_series(1,3000) g;
INSERT INTO public."we ird
na""me" VALUES (1,'x'); INSERT INTO public."INDEX x" VALUES (1);
SELECT lo_from_bytea(0, 'hello'::bytea), lo_from_bytea(0, repeat('x',100000)::bytea);
SELECT lo_from_bytea(4242, 'x'); COMMENT ON LARGE OBJECT 4242 IS 'blob'; GRANT SELECT ON LARGE OBJECT 4242 TO rich_reader;
REFRESH MATERIALIZED VIEW app.mv; ANALYZE;
CREATE FUNCTION app.liar() RETURNS text LANGUAGE sql AS $$
SELECT 'x
pg_restore: error: could not execute query: ERROR:  this is only text in a function
pg_restore: finished item 1 TABLE nothing
'::text $$;
CREATE TABLE public."a
pg_restore: error: a table can be called like this" (id int);
