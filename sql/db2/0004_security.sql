-- What operators changed through the roles on this database (as in DB1), and what they were refused by a rule.
-- before_json, after_json: masked JSON. Append-only.
CREATE TABLE IF NOT EXISTS operator_action (
  id ${AUTO_ID},
  at BIGINT NOT NULL,
  operator_id BIGINT NOT NULL,
  operator_name VARCHAR(64) NOT NULL,
  action VARCHAR(160) NOT NULL,
  object VARCHAR(255) NOT NULL,
  before_json TEXT NULL,
  after_json TEXT NULL,
  address VARCHAR(64) NOT NULL,
  trace_id BINARY(16) NOT NULL,
  outcome VARCHAR(64) NOT NULL
)${TABLE};

CREATE INDEX ix_operator_action_at ON operator_action (at, id);
CREATE INDEX ix_operator_action_operator ON operator_action (operator_id, at, id);

-- Networks whose requests are not answered. Until NULL: for good. What is over is deleted with the
-- next change.
CREATE TABLE IF NOT EXISTS ip_block (
  id ${AUTO_ID},
  network VARCHAR(64) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  until BIGINT NULL,
  created_at BIGINT NOT NULL,
  created_by BIGINT NOT NULL,
  CONSTRAINT uq_ip_block_network UNIQUE (network)
)${TABLE};
