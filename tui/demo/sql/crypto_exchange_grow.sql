-- Lets the exchange live from :from_h to :to_h hours before :'anchor' (the present of this sample).
-- Row i of a table is always the same but for the times, which hang on the anchor: every value comes from
-- a hash of i and of a number of its own (salt). So equal scales give equal data.
CREATE FUNCTION pg_temp.pick(i bigint, salt int, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN (hashint8extended(i, :seed + salt) & 9223372036854775807) % n;
CREATE FUNCTION pg_temp.total(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN greatest(10, floor(n * :scale)::bigint);
-- How many of a table's rows are there h hours before the anchor, when it fills evenly over so many days.
CREATE FUNCTION pg_temp.rows_at(n bigint, days int, h numeric) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN floor(pg_temp.total(n) * greatest(0, 1 - h / (days * 24.0)))::bigint;
CREATE FUNCTION pg_temp.moment(i bigint, n bigint, days int) RETURNS timestamptz LANGUAGE sql STABLE
    RETURN :'anchor'::timestamptz
        - make_interval(secs => days * 86400.0 * (1 - (i - pg_temp.pick(i, 99, 1000) / 1001.0)::float8 / pg_temp.total(n)));
-- A user who was there when row i was made.
CREATE FUNCTION pg_temp.someone(i bigint, n bigint, days int, salt int) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN 1 + pg_temp.pick(i, salt, greatest(1, floor(
        pg_temp.total(10000) * (1 - days * (1 - (i - 1)::numeric / pg_temp.total(n)) / 400.0))::bigint));
CREATE FUNCTION pg_temp.pair_of(i bigint) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN (ARRAY['BTC/USDT', 'BTC/USDT', 'ETH/USDT', 'ETH/USDT', 'SOL/USDT', 'XRP/USDT', 'ADA/USDT', 'ETH/BTC'])
        [1 + pg_temp.pick((i + 1) / 2, 20, 8)];
CREATE FUNCTION pg_temp.price_of(i bigint) RETURNS numeric LANGUAGE sql IMMUTABLE
    RETURN round((CASE pg_temp.pair_of(i) WHEN 'BTC/USDT' THEN 64000 WHEN 'ETH/USDT' THEN 3150 WHEN 'SOL/USDT' THEN 148
        WHEN 'XRP/USDT' THEN 0.52 WHEN 'ADA/USDT' THEN 0.41 ELSE 0.0492 END)
        * (0.9 + 0.2 * pg_temp.pick((i + 1) / 2, 21, 10000) / 10000.0), 8);

INSERT INTO users
SELECT i, md5('user ' || i)::uuid,
    lower(first) || '.' || lower(last) || i || '@' || (ARRAY['example.com', 'example.org', 'mail.example.net'])[1 + pg_temp.pick(i, 3, 3)],
    first || ' ' || last, '$2b$12$' || left(md5('salt ' || i) || md5('hash ' || i), 53),
    (ARRAY['ZA', 'US', 'GB', 'DE', 'FR', 'BR', 'IN', 'JP', 'NG', 'AU'])[1 + pg_temp.pick(i, 4, 10)],
    CASE WHEN pg_temp.pick(i, 5, 4) > 0 THEN '+' || (10000000000 + pg_temp.pick(i, 6, 80000000000)) END,
    CASE WHEN pg_temp.pick(i, 7, 50) = 0 THEN 'suspended' ELSE 'active' END,
    pg_temp.pick(i, 8, 3), pg_temp.pick(i, 9, 2) = 0, at, at, at
FROM generate_series(pg_temp.rows_at(10000, 400, :from_h) + 1, pg_temp.rows_at(10000, 400, :to_h)) AS i,
LATERAL (SELECT pg_temp.moment(i, 10000, 400) AS at,
    (ARRAY['Amara', 'Liam', 'Sofia', 'Noah', 'Mia', 'Kenji', 'Priya', 'Lukas', 'Zanele', 'Mateo', 'Chloe', 'Omar'])[1 + pg_temp.pick(i, 1, 12)] AS first,
    (ARRAY['Dlamini', 'Smith', 'Rossi', 'Khan', 'Silva', 'Tanaka', 'Novak', 'Mueller', 'Okafor', 'Garcia', 'Dubois'])[1 + pg_temp.pick(i, 2, 11)] AS last) AS names;

INSERT INTO wallets
SELECT 3 * (u.id - 1) + k, u.id,
    CASE k WHEN 1 THEN 'USDT' WHEN 2 THEN 'BTC' ELSE (ARRAY['ETH', 'SOL', 'XRP', 'ADA'])[1 + pg_temp.pick(u.id, 10, 4)] END,
    balance, CASE WHEN pg_temp.pick(u.id * 3 + k, 12, 5) = 0 THEN round(balance / 10, 8) ELSE 0 END,
    CASE k WHEN 2 THEN 'bc1q' || left(md5('btc ' || u.id), 32) ELSE '0x' || md5('wallet ' || u.id || k) || left(md5('tail ' || u.id), 8) END,
    u.created_at, u.created_at
FROM users AS u, generate_series(1, 3) AS k,
LATERAL (SELECT round(pg_temp.pick(u.id * 3 + k, 11, 100000000) / (CASE k WHEN 1 THEN 1000.0 WHEN 2 THEN 20000000.0 ELSE 300000.0 END), 8) AS balance) AS b
WHERE u.id > pg_temp.rows_at(10000, 400, :from_h)
ORDER BY 1;

INSERT INTO kyc_submissions
SELECT i, 1 + (i - 1) * 5 / 3, 1 + pg_temp.pick(i, 13, 2),
    (ARRAY['passport', 'id_card', 'driving_licence', 'proof_of_address'])[1 + pg_temp.pick(i, 14, 4)],
    'kyc/' || md5('kyc ' || i) || '.pdf', state,
    CASE WHEN state <> 'pending' THEN 'reviewer' || pg_temp.pick(i, 16, 6) END,
    jsonb_build_object('pages', 1 + pg_temp.pick(i, 17, 4), 'score', pg_temp.pick(i, 18, 100)), at,
    CASE WHEN state <> 'pending' THEN at + interval '5 hours' END
FROM generate_series(pg_temp.rows_at(6000, 400, :from_h) + 1, pg_temp.rows_at(6000, 400, :to_h)) AS i,
LATERAL (SELECT pg_temp.moment(i, 6000, 400) AS at,
    (ARRAY['approved', 'approved', 'approved', 'rejected', 'pending'])[1 + pg_temp.pick(i, 15, 5)] AS state) AS k
WHERE EXISTS (SELECT FROM users WHERE id = 1 + (i - 1) * 5 / 3);

INSERT INTO orders
SELECT i, pg_temp.someone(i, 26000, 60, 22), pg_temp.pair_of(i), (CASE WHEN i % 2 = 1 THEN 'buy' ELSE 'sell' END)::order_side,
    CASE WHEN pg_temp.pick(i, 23, 6) = 0 THEN 'market' ELSE 'limit' END, pg_temp.price_of(i), quantity,
    CASE WHEN state = 'filled' THEN quantity WHEN state = 'partially_filled' THEN round(quantity / 3, 8) ELSE 0 END,
    state::order_status, md5('order ' || i)::uuid, at, at
FROM generate_series(pg_temp.rows_at(26000, 60, :from_h) + 1, pg_temp.rows_at(26000, 60, :to_h)) AS i,
LATERAL (SELECT pg_temp.moment(i, 26000, 60) AS at, round((1 + pg_temp.pick(i, 24, 500000)) / 100000.0, 8) AS quantity,
    (ARRAY['filled', 'filled', 'filled', 'partially_filled', 'open', 'cancelled'])[1 + pg_temp.pick(i, 25, 6)] AS state) AS o;

INSERT INTO trades
SELECT i, pg_temp.pair_of(2 * k), 2 * k - 1, 2 * k, pg_temp.someone(2 * k - 1, 26000, 60, 22), pg_temp.someone(2 * k, 26000, 60, 22),
    price, quantity, round(price * quantity * 0.001, 8), pg_temp.moment(i, 39000, 60)
FROM generate_series(pg_temp.rows_at(39000, 60, :from_h) + 1, pg_temp.rows_at(39000, 60, :to_h)) AS i,
LATERAL (SELECT greatest(1, (i + 2) / 3 - 2) AS k) AS a,
LATERAL (SELECT pg_temp.price_of(2 * k) AS price, round((1 + pg_temp.pick(i, 26, 150000)) / 100000.0, 8) AS quantity) AS b;

INSERT INTO transactions
SELECT i, u, 3 * (u - 1) + 1 + pg_temp.pick(i, 31, 3), kind::transaction_type, round((1 + pg_temp.pick(i, 32, 60000000)) / 10000.0, 8),
    (ARRAY['completed', 'completed', 'completed', 'completed', 'pending', 'failed'])[1 + pg_temp.pick(i, 33, 6)],
    CASE WHEN kind IN ('deposit', 'withdrawal') THEN '0x' || md5('tx ' || i) || md5('hash ' || i) END, pg_temp.moment(i, 33000, 60)
FROM generate_series(pg_temp.rows_at(33000, 60, :from_h) + 1, pg_temp.rows_at(33000, 60, :to_h)) AS i,
LATERAL (SELECT pg_temp.someone(i, 33000, 60, 30) AS u,
    (ARRAY['deposit', 'withdrawal', 'trade', 'trade', 'trade', 'fee'])[1 + pg_temp.pick(i, 34, 6)] AS kind) AS t;

INSERT INTO sessions
SELECT i, pg_temp.someone(i, 13000, 30, 40), md5('token ' || i) || md5('refresh ' || i),
    ('10.' || pg_temp.pick(i, 41, 256) || '.' || pg_temp.pick(i, 42, 256) || '.' || pg_temp.pick(i, 43, 256))::inet,
    (ARRAY['Mozilla/5.0 (X11; Linux x86_64)', 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5)', 'KrystalineX/3.2 Android', 'Mozilla/5.0 (Windows NT 10.0; Win64)'])[1 + pg_temp.pick(i, 44, 4)],
    at + interval '7 days', CASE WHEN pg_temp.pick(i, 45, 8) = 0 THEN at + interval '1 hour' END, at
FROM generate_series(pg_temp.rows_at(13000, 30, :from_h) + 1, pg_temp.rows_at(13000, 30, :to_h)) AS i,
LATERAL (SELECT pg_temp.moment(i, 13000, 30) AS at) AS s;

INSERT INTO verification_codes
SELECT i, pg_temp.someone(i, 9000, 30, 50), CASE WHEN pg_temp.pick(i, 51, 3) = 0 THEN 'sms' ELSE 'email' END, md5('code ' || i),
    pg_temp.pick(i, 52, 3), at + interval '10 minutes', CASE WHEN pg_temp.pick(i, 53, 5) > 0 THEN at + interval '2 minutes' END, at
FROM generate_series(pg_temp.rows_at(9000, 30, :from_h) + 1, pg_temp.rows_at(9000, 30, :to_h)) AS i,
LATERAL (SELECT pg_temp.moment(i, 9000, 30) AS at) AS v;

SELECT setval(pg_get_serial_sequence(name, 'id'), greatest(1, last)) FROM (
    SELECT 'users' AS name, (SELECT max(id) FROM users) AS last
    UNION ALL SELECT 'wallets', (SELECT max(id) FROM wallets)
    UNION ALL SELECT 'kyc_submissions', (SELECT max(id) FROM kyc_submissions)
    UNION ALL SELECT 'orders', (SELECT max(id) FROM orders)
    UNION ALL SELECT 'trades', (SELECT max(id) FROM trades)
    UNION ALL SELECT 'transactions', (SELECT max(id) FROM transactions)
    UNION ALL SELECT 'sessions', (SELECT max(id) FROM sessions)
    UNION ALL SELECT 'verification_codes', (SELECT max(id) FROM verification_codes)) AS s;
