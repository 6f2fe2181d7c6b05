-- What pg_restore calls post-data, and everything that hangs on it.
ALTER TABLE users ADD PRIMARY KEY (id), ADD CONSTRAINT users_email_key UNIQUE (email), ADD CONSTRAINT users_public_id_key UNIQUE (public_id);
ALTER TABLE sessions ADD PRIMARY KEY (id), ADD CONSTRAINT sessions_refresh_token_hash_key UNIQUE (refresh_token_hash);
ALTER TABLE verification_codes ADD PRIMARY KEY (id);
ALTER TABLE wallets ADD PRIMARY KEY (id), ADD CONSTRAINT wallets_user_id_asset_key UNIQUE (user_id, asset);
ALTER TABLE transactions ADD PRIMARY KEY (id);
ALTER TABLE orders ADD PRIMARY KEY (id), ADD CONSTRAINT orders_quantity_check CHECK (quantity > 0);
ALTER TABLE trades ADD PRIMARY KEY (id), ADD CONSTRAINT trades_price_check CHECK (price > 0);
ALTER TABLE kyc_submissions ADD PRIMARY KEY (id);

CREATE INDEX users_created_at_idx ON users (created_at);
CREATE INDEX users_email_trgm_idx ON users USING gin (email gin_trgm_ops);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at) WHERE revoked_at IS NULL;
CREATE INDEX verification_codes_user_id_idx ON verification_codes (user_id);
CREATE INDEX users_full_name_trgm_idx ON users USING gin (full_name gin_trgm_ops);
CREATE INDEX wallets_asset_idx ON wallets (asset);
CREATE INDEX transactions_user_id_created_at_idx ON transactions (user_id, created_at);
CREATE INDEX transactions_wallet_id_idx ON transactions (wallet_id);
CREATE INDEX transactions_created_at_idx ON transactions (created_at);
CREATE INDEX transactions_tx_hash_idx ON transactions (tx_hash) WHERE tx_hash IS NOT NULL;
CREATE INDEX transactions_tx_hash_trgm_idx ON transactions USING gin (tx_hash gin_trgm_ops) WHERE tx_hash IS NOT NULL;
CREATE INDEX orders_user_id_created_at_idx ON orders (user_id, created_at);
CREATE INDEX orders_open_idx ON orders (pair, side, price) WHERE status IN ('open', 'partially_filled');
CREATE INDEX orders_client_order_id_idx ON orders (client_order_id);
CREATE INDEX wallets_address_trgm_idx ON wallets USING gin (address gin_trgm_ops);
CREATE INDEX trades_pair_executed_at_idx ON trades (pair, executed_at);
CREATE INDEX trades_buy_order_id_idx ON trades (buy_order_id);
CREATE INDEX trades_sell_order_id_idx ON trades (sell_order_id);
CREATE INDEX trades_executed_at_idx ON trades (executed_at);
CREATE INDEX kyc_submissions_user_id_idx ON kyc_submissions (user_id);
CREATE INDEX kyc_submissions_pending_idx ON kyc_submissions (submitted_at) WHERE status = 'pending';

ALTER TABLE sessions ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE verification_codes ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE wallets ADD FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE transactions ADD FOREIGN KEY (user_id) REFERENCES users (id), ADD FOREIGN KEY (wallet_id) REFERENCES wallets (id);
ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE trades ADD FOREIGN KEY (buy_order_id) REFERENCES orders (id), ADD FOREIGN KEY (sell_order_id) REFERENCES orders (id),
    ADD FOREIGN KEY (buyer_id) REFERENCES users (id), ADD FOREIGN KEY (seller_id) REFERENCES users (id);
ALTER TABLE kyc_submissions ADD FOREIGN KEY (user_id) REFERENCES users (id);

CREATE TRIGGER users_touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER wallets_touch BEFORE UPDATE ON wallets FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE VIEW open_orders AS
    SELECT id, user_id, pair, side, price, quantity - filled AS remaining, created_at
    FROM orders WHERE status IN ('open', 'partially_filled');
COMMENT ON VIEW open_orders IS 'What the matching engine loads at its start';
CREATE MATERIALIZED VIEW daily_volume AS
    SELECT date_trunc('day', executed_at, 'UTC') AS day, pair, count(*) AS trades, sum(price * quantity) AS volume
    FROM trades GROUP BY 1, 2;
CREATE UNIQUE INDEX daily_volume_day_pair_idx ON daily_volume (day, pair);

CREATE ROLE reporting NOLOGIN;
GRANT USAGE ON SCHEMA public TO reporting;
GRANT SELECT ON orders, trades, transactions, daily_volume TO reporting;
GRANT CONNECT ON DATABASE crypto_exchange TO reporting;
ALTER DATABASE crypto_exchange SET statement_timeout = '5min';
COMMENT ON DATABASE crypto_exchange IS 'Users, wallets, orders, trades';
ANALYZE;
