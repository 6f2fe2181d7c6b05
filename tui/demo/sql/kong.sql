-- An API gateway's configuration, with the events and request counts that make up its size.
CREATE FUNCTION pg_temp.pick(i bigint, salt int, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN (hashint8extended(i, :seed + salt) & 9223372036854775807) % n;
CREATE FUNCTION pg_temp.total(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN greatest(10, floor(n * :scale)::bigint);

CREATE TABLE workspaces (id uuid PRIMARY KEY, name text UNIQUE, comment text, created_at timestamptz NOT NULL);
CREATE TABLE services (
    id uuid PRIMARY KEY, ws_id uuid NOT NULL REFERENCES workspaces, name text NOT NULL, protocol text NOT NULL, host text NOT NULL,
    port int NOT NULL, path text, retries int NOT NULL DEFAULT 5, connect_timeout int NOT NULL DEFAULT 60000, enabled boolean NOT NULL,
    tags text[], created_at timestamptz NOT NULL, UNIQUE (ws_id, name));
CREATE TABLE routes (
    id uuid PRIMARY KEY, ws_id uuid NOT NULL REFERENCES workspaces, service_id uuid NOT NULL REFERENCES services, name text NOT NULL,
    protocols text[] NOT NULL, methods text[], paths text[] NOT NULL, strip_path boolean NOT NULL, created_at timestamptz NOT NULL, UNIQUE (ws_id, name));
CREATE TABLE consumers (
    id uuid PRIMARY KEY, ws_id uuid NOT NULL REFERENCES workspaces, username text NOT NULL, custom_id text, tags text[],
    created_at timestamptz NOT NULL, UNIQUE (ws_id, username));
CREATE TABLE keyauth_credentials (
    id uuid PRIMARY KEY, consumer_id uuid NOT NULL REFERENCES consumers ON DELETE CASCADE, key text UNIQUE NOT NULL, ttl timestamptz, created_at timestamptz NOT NULL);
CREATE TABLE plugins (
    id uuid PRIMARY KEY, name text NOT NULL, service_id uuid REFERENCES services, route_id uuid REFERENCES routes, consumer_id uuid REFERENCES consumers,
    config jsonb NOT NULL, enabled boolean NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE upstreams (id uuid PRIMARY KEY, name text UNIQUE NOT NULL, algorithm text NOT NULL, healthchecks jsonb NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE targets (id uuid PRIMARY KEY, upstream_id uuid NOT NULL REFERENCES upstreams, target text NOT NULL, weight int NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE ratelimiting_metrics (
    identifier text NOT NULL, period text NOT NULL, period_date timestamptz NOT NULL, service_id uuid NOT NULL, route_id uuid NOT NULL, value int NOT NULL,
    PRIMARY KEY (identifier, period, period_date, service_id, route_id));
CREATE TABLE cluster_events (
    id uuid PRIMARY KEY, node_id uuid NOT NULL, at timestamptz NOT NULL, channel text NOT NULL, data text);
CREATE TABLE schema_meta (key text, subsystem text, last_executed text, executed text[], PRIMARY KEY (key, subsystem));

INSERT INTO workspaces VALUES (md5('workspace')::uuid, 'default', NULL, :'anchor'::timestamptz - interval '400 days');
INSERT INTO schema_meta VALUES ('schema_bootstrap', 'core', '024_380_to_390', ARRAY['000_base', '015_270_to_280', '024_380_to_390']);
INSERT INTO services
SELECT md5('service ' || i)::uuid, md5('workspace')::uuid, name || '-' || i, 'http', name || '.krystalinex.svc', 5000 + i, '/api/v1', 5, 60000, true,
    ARRAY['team-' || pg_temp.pick(i, 1, 4)], :'anchor'::timestamptz - make_interval(days => 400 - i)
FROM generate_series(1, 24) AS i, LATERAL (SELECT (ARRAY['server', 'payment-processor', 'orders', 'wallets', 'market-data', 'kyc'])[1 + i % 6] AS name) AS n;
INSERT INTO routes
SELECT md5('route ' || i)::uuid, md5('workspace')::uuid, md5('service ' || 1 + i % 24)::uuid, 'route-' || i, ARRAY['http', 'https'],
    ARRAY[(ARRAY['GET', 'POST', 'PUT', 'DELETE'])[1 + i % 4]], ARRAY['/api/v1/' || left(md5('path ' || i), 8)], i % 2 = 0, :'anchor'::timestamptz - make_interval(days => 390 - i)
FROM generate_series(1, 160) AS i;
INSERT INTO consumers
SELECT md5('consumer ' || i)::uuid, md5('workspace')::uuid, 'partner-' || i, 'crm-' || pg_temp.pick(i, 2, 900000), ARRAY['partner'],
    :'anchor'::timestamptz - make_interval(hours => (9000 * (1 - i::numeric / pg_temp.total(3000)))::int)
FROM generate_series(1, pg_temp.total(3000)) AS i;
INSERT INTO keyauth_credentials SELECT md5('credential ' || c.id)::uuid, c.id, md5('key ' || c.id), NULL, c.created_at FROM consumers AS c;
INSERT INTO plugins
SELECT md5('plugin ' || i)::uuid, (ARRAY['rate-limiting', 'key-auth', 'cors', 'prometheus'])[1 + i % 4], md5('service ' || 1 + i % 24)::uuid, NULL, NULL,
    jsonb_build_object('minute', 60 * (1 + i % 5), 'policy', 'cluster', 'hide_credentials', true), true, :'anchor'::timestamptz - make_interval(days => 380 - i)
FROM generate_series(1, 96) AS i;
INSERT INTO upstreams
SELECT md5('upstream ' || i)::uuid, 'upstream-' || i, 'round-robin', '{"active": {"http_path": "/health"}}', :'anchor'::timestamptz - make_interval(days => 400 - i) FROM generate_series(1, 12) AS i;
INSERT INTO targets
SELECT md5('target ' || i)::uuid, md5('upstream ' || 1 + i % 12)::uuid, '10.0.' || i % 8 || '.' || i || ':5000', 100, :'anchor'::timestamptz - make_interval(days => 300 - i) FROM generate_series(1, 48) AS i;
INSERT INTO ratelimiting_metrics
SELECT 'partner-' || 1 + pg_temp.pick(i, 5, pg_temp.total(3000)), 'hour', date_trunc('hour', :'anchor'::timestamptz - make_interval(hours => (i % 720)::int), 'UTC'),
    md5('service ' || 1 + pg_temp.pick(i, 6, 24))::uuid, md5('route ' || 1 + pg_temp.pick(i, 7, 160))::uuid, 1 + pg_temp.pick(i, 8, 4000)
FROM generate_series(1, pg_temp.total(50000)) AS i ON CONFLICT DO NOTHING;
INSERT INTO cluster_events
SELECT md5('event ' || i)::uuid, md5('node ' || i % 3)::uuid, :'anchor'::timestamptz - make_interval(secs => (30 * 86400.0 * (1 - i::numeric / pg_temp.total(20000)))::float8),
    'invalidations', 'routes:' || md5('route ' || 1 + i % 160)
FROM generate_series(1, pg_temp.total(20000)) AS i;
CREATE INDEX routes_service_id_idx ON routes (service_id);
CREATE INDEX plugins_service_id_idx ON plugins (service_id);
CREATE INDEX plugins_name_idx ON plugins (name);
CREATE INDEX consumers_custom_id_idx ON consumers (custom_id);
CREATE INDEX keyauth_credentials_consumer_id_idx ON keyauth_credentials (consumer_id);
CREATE INDEX targets_upstream_id_idx ON targets (upstream_id);
CREATE INDEX ratelimiting_metrics_period_date_idx ON ratelimiting_metrics (period_date);
CREATE INDEX cluster_events_at_idx ON cluster_events (at);
CREATE INDEX cluster_events_channel_idx ON cluster_events (channel);
COMMENT ON DATABASE kong IS 'API Gateway config, routes';
ANALYZE;
