-- Analysis: sums over the ledger and what is made of them. All of it can be computed again from the ledger.

-- One row, which whoever adds to the sums holds alone. as_of: until when the sums are complete, 0 when never yet.
-- zone: by which days are cut. clearing: the sums are being emptied, to be added up anew.
CREATE TABLE IF NOT EXISTS analysis_state (
  id INT NOT NULL PRIMARY KEY,
  as_of BIGINT NOT NULL,
  zone VARCHAR(64) NOT NULL,
  clearing TINYINT NOT NULL
)${TABLE};

-- How far each lane of the ledger is in the sums, and what it came to; moved in the transaction that adds. moved_at:
-- when the cursor was found there.
CREATE TABLE IF NOT EXISTS analysis_progress (
  lane_id ${BIG_KEY},
  last_seq BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  moved_at BIGINT NOT NULL
)${TABLE};

-- The cube: each tip is in one row, by the genders that it was accepted with. hour: its UTC start.
CREATE TABLE IF NOT EXISTS hourly_tip (
  hour BIGINT NOT NULL,
  anchor_id BIGINT NOT NULL,
  anchor_gender TINYINT NOT NULL,
  viewer_gender TINYINT NOT NULL,
  amount BIGINT NOT NULL,
  tips BIGINT NOT NULL,
  anchor_units BIGINT NOT NULL,
  PRIMARY KEY (hour, anchor_id, anchor_gender, viewer_gender),
  CHECK (anchor_units BETWEEN 0 AND 9000000000000000000)
)${TABLE};
CREATE INDEX ix_hourly_tip_anchor ON hourly_tip (anchor_id, hour);

-- The cube without anchors, and by days of the business time zone (days since 1970): what long ranges read.
CREATE TABLE IF NOT EXISTS hourly_sum (
  hour BIGINT NOT NULL,
  anchor_gender TINYINT NOT NULL,
  viewer_gender TINYINT NOT NULL,
  amount BIGINT NOT NULL,
  tips BIGINT NOT NULL,
  anchor_units BIGINT NOT NULL,
  PRIMARY KEY (hour, anchor_gender, viewer_gender),
  CHECK (anchor_units BETWEEN 0 AND 9000000000000000000)
)${TABLE};
CREATE TABLE IF NOT EXISTS daily_tip (
  day BIGINT NOT NULL,
  anchor_id BIGINT NOT NULL,
  anchor_gender TINYINT NOT NULL,
  viewer_gender TINYINT NOT NULL,
  amount BIGINT NOT NULL,
  tips BIGINT NOT NULL,
  anchor_units BIGINT NOT NULL,
  PRIMARY KEY (day, anchor_id, anchor_gender, viewer_gender),
  CHECK (anchor_units BETWEEN 0 AND 9000000000000000000)
)${TABLE};

-- Who tipped on a day: bit viewer_id % 32,768 of block viewer_id / 32,768, the lowest bit of a byte first.
CREATE TABLE IF NOT EXISTS daily_payer (
  day BIGINT NOT NULL,
  block BIGINT NOT NULL,
  bits VARBINARY(4096) NOT NULL,
  PRIMARY KEY (day, block)
)${TABLE};

CREATE TABLE IF NOT EXISTS viewer_total (
  viewer_id ${BIG_KEY},
  total BIGINT NOT NULL,
  tips BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  CHECK (total BETWEEN 0 AND 9000000000000000000)
)${TABLE};

-- Rounds. Readers see the newest that is published. cutoff_at: until when it is complete. tips: how many it counts.
CREATE TABLE IF NOT EXISTS portrait_round (
  round ${BIG_KEY},
  started_at BIGINT NOT NULL,
  cutoff_at BIGINT NOT NULL,
  tips BIGINT NOT NULL,
  viewers BIGINT NOT NULL,
  published_at BIGINT NULL
)${TABLE};

-- Which ledger rows a round counts: those of each lane up to last_seq. Kept as long as its portraits.
CREATE TABLE IF NOT EXISTS portrait_cutoff (
  round BIGINT NOT NULL,
  lane_id BIGINT NOT NULL,
  last_seq BIGINT NOT NULL,
  PRIMARY KEY (round, lane_id)
)${TABLE};

-- tier: 1 low, 2 middle, 3 high. place: 1 + viewers with a larger total.
CREATE TABLE IF NOT EXISTS portrait (
  round BIGINT NOT NULL,
  viewer_id BIGINT NOT NULL,
  total BIGINT NOT NULL,
  tips BIGINT NOT NULL,
  place BIGINT NOT NULL,
  tier TINYINT NOT NULL,
  PRIMARY KEY (round, viewer_id)
)${TABLE};

CREATE TABLE IF NOT EXISTS portrait_tier (
  round BIGINT NOT NULL,
  tier TINYINT NOT NULL,
  viewers BIGINT NOT NULL,
  total BIGINT NOT NULL,
  least BIGINT NOT NULL,
  most BIGINT NOT NULL,
  PRIMARY KEY (round, tier)
)${TABLE};
