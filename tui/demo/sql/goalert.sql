-- An on-call tool: people, schedules, services and the alerts of the last months.
CREATE FUNCTION pg_temp.pick(i bigint, salt int, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN (hashint8extended(i, :seed + salt) & 9223372036854775807) % n;
CREATE FUNCTION pg_temp.total(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN greatest(10, floor(n * :scale)::bigint);

CREATE TYPE enum_alert_status AS ENUM ('triggered', 'active', 'closed');
CREATE TYPE enum_alert_log_event AS ENUM ('created', 'notification_sent', 'acknowledged', 'closed');
CREATE TABLE users (id uuid PRIMARY KEY, name text NOT NULL, email text UNIQUE NOT NULL, role text NOT NULL);
CREATE TABLE user_contact_methods (
    id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE, type text NOT NULL, value text NOT NULL, disabled boolean NOT NULL DEFAULT false,
    UNIQUE (type, value));
CREATE TABLE schedules (id uuid PRIMARY KEY, name text UNIQUE NOT NULL, description text NOT NULL DEFAULT '', time_zone text NOT NULL);
CREATE TABLE rotations (id uuid PRIMARY KEY, name text UNIQUE NOT NULL, type text NOT NULL, shift_length int NOT NULL, start_time timestamptz NOT NULL);
CREATE TABLE rotation_participants (
    id uuid PRIMARY KEY, rotation_id uuid NOT NULL REFERENCES rotations ON DELETE CASCADE, position int NOT NULL, user_id uuid NOT NULL REFERENCES users,
    UNIQUE (rotation_id, position) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE schedule_on_call_users (
    id bigserial PRIMARY KEY, schedule_id uuid NOT NULL REFERENCES schedules, user_id uuid NOT NULL REFERENCES users, start_time timestamptz NOT NULL, end_time timestamptz);
CREATE TABLE escalation_policies (id uuid PRIMARY KEY, name text UNIQUE NOT NULL, repeat int NOT NULL DEFAULT 3);
CREATE TABLE escalation_policy_steps (
    id uuid PRIMARY KEY, escalation_policy_id uuid NOT NULL REFERENCES escalation_policies, step_number int NOT NULL, delay int NOT NULL, UNIQUE (escalation_policy_id, step_number));
CREATE TABLE services (id uuid PRIMARY KEY, name text UNIQUE NOT NULL, description text NOT NULL, escalation_policy_id uuid NOT NULL REFERENCES escalation_policies);
CREATE TABLE integration_keys (id uuid PRIMARY KEY, service_id uuid NOT NULL REFERENCES services, name text NOT NULL, type text NOT NULL);
CREATE TABLE alerts (
    id bigserial PRIMARY KEY, service_id uuid NOT NULL REFERENCES services, source text NOT NULL, summary text NOT NULL, details text NOT NULL,
    dedup_key text, status enum_alert_status NOT NULL, created_at timestamptz NOT NULL, CHECK ((dedup_key IS NULL) = (status = 'closed')));
CREATE TABLE alert_logs (
    id bigserial PRIMARY KEY, alert_id bigint NOT NULL REFERENCES alerts ON DELETE CASCADE, timestamp timestamptz NOT NULL, event enum_alert_log_event NOT NULL,
    sub_user_id uuid REFERENCES users, message text NOT NULL);

INSERT INTO users
SELECT md5('person ' || i)::uuid, name, lower(replace(name, ' ', '.')) || i || '@krystalinex.example', CASE WHEN i % 12 = 0 THEN 'admin' ELSE 'user' END
FROM generate_series(1, 60) AS i, LATERAL (SELECT (ARRAY['Thandi Nkosi', 'Ben Carter', 'Ana Souza', 'Yuki Mori', 'Ivan Petrov', 'Leila Haddad'])[1 + i % 6] AS name) AS n;
INSERT INTO user_contact_methods
SELECT md5('contact ' || u.id || t)::uuid, u.id, t, CASE t WHEN 'EMAIL' THEN u.email ELSE '+27' || (600000000 + pg_temp.pick(hashtext(u.email), 1, 99999999)) END
FROM users AS u, unnest(ARRAY['EMAIL', 'SMS']) AS t;
INSERT INTO schedules SELECT md5('schedule ' || i)::uuid, 'Schedule ' || i, '', 'UTC' FROM generate_series(1, 12) AS i;
INSERT INTO rotations SELECT md5('rotation ' || i)::uuid, 'Rotation ' || i, 'weekly', 1, :'anchor'::timestamptz - interval '300 days' FROM generate_series(1, 12) AS i;
INSERT INTO rotation_participants SELECT md5('part ' || i)::uuid, md5('rotation ' || 1 + i % 12)::uuid, i / 12, md5('person ' || 1 + i)::uuid FROM generate_series(0, 59) AS i;
INSERT INTO schedule_on_call_users (schedule_id, user_id, start_time, end_time)
SELECT md5('schedule ' || 1 + i % 12)::uuid, md5('person ' || 1 + pg_temp.pick(i, 2, 60))::uuid, at, at + interval '12 hours'
FROM generate_series(1, pg_temp.total(4000)) AS i, LATERAL (SELECT :'anchor'::timestamptz - make_interval(hours => (12 * (pg_temp.total(4000) - i) / 12)::int) AS at) AS t;
INSERT INTO escalation_policies SELECT md5('policy ' || i)::uuid, 'Policy ' || i, 3 FROM generate_series(1, 10) AS i;
INSERT INTO escalation_policy_steps SELECT md5('step ' || i)::uuid, md5('policy ' || 1 + i % 10)::uuid, i / 10, 15 FROM generate_series(0, 29) AS i;
INSERT INTO services SELECT md5('watched ' || i)::uuid, 'Service ' || i, 'Part of the exchange', md5('policy ' || 1 + i % 10)::uuid FROM generate_series(1, 20) AS i;
INSERT INTO integration_keys SELECT md5('integration ' || i)::uuid, md5('watched ' || i)::uuid, 'Prometheus', 'prometheusAlertmanager' FROM generate_series(1, 20) AS i;
INSERT INTO alerts (service_id, source, summary, details, dedup_key, status, created_at)
SELECT md5('watched ' || 1 + pg_temp.pick(i, 3, 20))::uuid, 'prometheusAlertmanager', what || ' on node-' || pg_temp.pick(i, 5, 40), 'runbook: https://runbooks.krystalinex.example/' || md5(what),
    CASE WHEN status <> 'closed' THEN 'auto:1:' || md5('alert ' || i) END, status::enum_alert_status,
    :'anchor'::timestamptz - make_interval(secs => (180 * 86400.0 * (1 - (i - 0.5) / pg_temp.total(20000)))::float8)
FROM generate_series(1, pg_temp.total(20000)) AS i,
LATERAL (SELECT (ARRAY['High latency', 'Disk almost full', 'Replication lag', 'Order queue growing', 'Certificate expires'])[1 + pg_temp.pick(i, 4, 5)] AS what,
    CASE WHEN i > pg_temp.total(20000) - 5 THEN 'active' ELSE 'closed' END AS status) AS a;
INSERT INTO alert_logs (alert_id, timestamp, event, sub_user_id, message)
SELECT a.id, a.created_at + make_interval(mins => 4 * e.n::int), e.event::enum_alert_log_event, CASE WHEN e.n > 1 THEN md5('person ' || 1 + pg_temp.pick(a.id, 6, 60))::uuid END, ''
FROM alerts AS a, unnest(ARRAY['created', 'notification_sent', 'acknowledged', 'closed']) WITH ORDINALITY AS e (event, n)
WHERE a.status = 'closed' OR e.n < 3;
CREATE UNIQUE INDEX alerts_dedup_key_idx ON alerts (service_id, dedup_key) WHERE dedup_key IS NOT NULL;
CREATE INDEX alerts_service_id_idx ON alerts (service_id);
CREATE INDEX alerts_created_at_idx ON alerts (created_at);
CREATE INDEX alert_logs_alert_id_idx ON alert_logs (alert_id);
CREATE INDEX alert_logs_timestamp_idx ON alert_logs (timestamp);
CREATE INDEX escalation_policies_name_idx ON escalation_policies (lower(name));
CREATE INDEX services_escalation_policy_id_idx ON services (escalation_policy_id);
COMMENT ON DATABASE goalert IS 'Incident management';
ANALYZE;
