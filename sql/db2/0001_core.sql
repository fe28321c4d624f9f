-- DB2: the books, and the operators. 1 unit = 1/10,000 fen.
-- anchor_id 0 holds the platform's default rate. Append-only.
CREATE TABLE IF NOT EXISTS share_rate (
  id ${AUTO_ID},
  anchor_id BIGINT NOT NULL,
  share_bp INT NOT NULL,
  effective_from BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  created_by VARCHAR(64) NOT NULL,
  CHECK (share_bp BETWEEN 0 AND 10000)
)${TABLE};

-- One row: settlement holds it shared, a change of rates alone.
CREATE TABLE IF NOT EXISTS share_rate_guard (
  id INT NOT NULL PRIMARY KEY
)${TABLE};

-- How far each lane is settled, with the sums of what was.
CREATE TABLE IF NOT EXISTS sync_cursor (
  lane_id ${BIG_KEY},
  last_seq BIGINT NOT NULL,
  amount BIGINT NOT NULL
)${TABLE};

CREATE TABLE IF NOT EXISTS ledger (
  tip_id ${BIG_KEY},
  anchor_id BIGINT NOT NULL,
  viewer_id BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  share_bp INT NOT NULL,
  anchor_units BIGINT NOT NULL,
  anchor_gender TINYINT NOT NULL,
  viewer_gender TINYINT NOT NULL,
  accepted_at BIGINT NOT NULL
)${TABLE};

-- One row a settled batch: when its tips were committed, pushed and settled.
CREATE TABLE IF NOT EXISTS ledger_batch (
  lane_id BIGINT NOT NULL,
  to_seq BIGINT NOT NULL,
  from_seq BIGINT NOT NULL,
  committed_at BIGINT NULL,
  pushed_at BIGINT NOT NULL,
  settled_at BIGINT NOT NULL,
  PRIMARY KEY (lane_id, to_seq)
)${TABLE};

CREATE TABLE IF NOT EXISTS account (
  anchor_id ${BIG_KEY},
  settled_units BIGINT NOT NULL,
  withdrawn_fen BIGINT NOT NULL,
  reserved_fen BIGINT NOT NULL,
  CHECK (settled_units BETWEEN 0 AND 9000000000000000000),
  CHECK (withdrawn_fen >= 0),
  CHECK (reserved_fen >= 0)
)${TABLE};

-- Sums by anchor, UTC hour and rate: what the statement reads.
CREATE TABLE IF NOT EXISTS settlement_hour (
  anchor_id BIGINT NOT NULL,
  hour BIGINT NOT NULL,
  share_bp INT NOT NULL,
  tips BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  anchor_units BIGINT NOT NULL,
  PRIMARY KEY (anchor_id, hour, share_bp)
)${TABLE};

-- state: 0 pending, 1 paid, 2 rejected.
CREATE TABLE IF NOT EXISTS withdrawal (
  id ${AUTO_ID},
  trace_id BINARY(16) NOT NULL,
  anchor_id BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  state TINYINT NOT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT NULL,
  CONSTRAINT uq_withdrawal_trace UNIQUE (trace_id)
)${TABLE};

-- The sandbox payment provider's own memory: one payout a key, whatever is asked again.
CREATE TABLE IF NOT EXISTS sandbox_payout (
  withdrawal_id ${BIG_KEY},
  amount BIGINT NOT NULL,
  paid TINYINT NOT NULL,
  at BIGINT NOT NULL
)${TABLE};

-- Sums of the ledger rows of a lane up to a number, as lane_seal is of its tips.
CREATE TABLE IF NOT EXISTS ledger_seal (
  lane_id ${BIG_KEY},
  seq BIGINT NOT NULL,
  tips BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  anchor_units BIGINT NOT NULL
)${TABLE};

-- role: 1 operator, 2 admin.
CREATE TABLE IF NOT EXISTS operator_user (
  id ${AUTO_ID},
  name VARCHAR(64) NOT NULL,
  password_hash VARCHAR(128) NOT NULL,
  role TINYINT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT uq_operator_name UNIQUE (name)
)${TABLE};
