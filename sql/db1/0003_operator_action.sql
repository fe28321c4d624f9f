-- What operators changed through the roles on this database, and what they were refused by a rule.
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
