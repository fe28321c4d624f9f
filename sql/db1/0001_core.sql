-- DB1: anchors, rooms, viewers, tips. Times are microseconds since 1970 UTC, money is fen.
CREATE TABLE IF NOT EXISTS anchor (
  id ${AUTO_ID},
  name VARCHAR(64) NOT NULL,
  password_hash VARCHAR(128) NOT NULL,
  gender TINYINT NOT NULL,
  age SMALLINT NOT NULL,
  region VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT uq_anchor_name UNIQUE (name)
)${TABLE};

CREATE TABLE IF NOT EXISTS anchor_tag (
  anchor_id BIGINT NOT NULL,
  tag VARCHAR(32) NOT NULL,
  place SMALLINT NOT NULL,
  PRIMARY KEY (anchor_id, tag)
)${TABLE};

-- One room an anchor, numbered 1,000,000 above it so that one is never taken for the other.
-- state: 0 off, 1 live, 2 banned.
CREATE TABLE IF NOT EXISTS room (
  id ${BIG_KEY},
  anchor_id BIGINT NOT NULL,
  title VARCHAR(128) NOT NULL,
  category VARCHAR(32) NOT NULL,
  state TINYINT NOT NULL,
  session_id BIGINT NULL,
  banned_until BIGINT NULL,
  ban_reason VARCHAR(200) NULL,
  CONSTRAINT uq_room_anchor UNIQUE (anchor_id)
)${TABLE};

CREATE TABLE IF NOT EXISTS room_tag (
  room_id BIGINT NOT NULL,
  tag VARCHAR(32) NOT NULL,
  place SMALLINT NOT NULL,
  PRIMARY KEY (room_id, tag)
)${TABLE};

-- One stretch of a room from open to close; tips and revenue are kept
-- once no tip can join it any more.
CREATE TABLE IF NOT EXISTS room_session (
  id ${AUTO_ID},
  room_id BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  closed_at BIGINT NULL,
  tips BIGINT NULL,
  revenue BIGINT NULL
)${TABLE};

-- kind: 1 registered, 2 guest. A guest has no login name and no password. state: 1 active, 2 disabled.
CREATE TABLE IF NOT EXISTS viewer (
  id ${AUTO_ID},
  kind TINYINT NOT NULL,
  login_name VARCHAR(64) NULL,
  password_hash VARCHAR(128) NULL,
  gender TINYINT NOT NULL,
  age SMALLINT NULL,
  region VARCHAR(64) NOT NULL,
  state TINYINT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT uq_viewer_login_name UNIQUE (login_name)
)${TABLE};

CREATE TABLE IF NOT EXISTS viewer_tag (
  viewer_id BIGINT NOT NULL,
  tag VARCHAR(32) NOT NULL,
  place SMALLINT NOT NULL,
  PRIMARY KEY (viewer_id, tag)
)${TABLE};

-- One lane of one process. state: 1 open, 2 closed by its process, 3 settled whole up to last_seq.
CREATE TABLE IF NOT EXISTS writer_lane (
  lane_id ${AUTO_ID},
  node VARCHAR(128) NOT NULL,
  process VARCHAR(64) NOT NULL,
  connection_id BIGINT NOT NULL,
  state TINYINT NOT NULL,
  opened_at BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  last_seq BIGINT NULL
)${TABLE};

-- tip_id = lane_id * 2^33 + seq. Never updated, never deleted.
CREATE TABLE IF NOT EXISTS tip (
  tip_id ${BIG_KEY},
  trace_id BINARY(16) NOT NULL,
  viewer_id BIGINT NOT NULL,
  room_id BIGINT NOT NULL,
  anchor_id BIGINT NOT NULL,
  session_id BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  gift_id INT NOT NULL,
  gift_count INT NOT NULL,
  anchor_gender TINYINT NOT NULL,
  viewer_gender TINYINT NOT NULL,
  accepted_at BIGINT NOT NULL,
  message VARCHAR(200) NOT NULL,
  CONSTRAINT uq_tip_trace UNIQUE (trace_id)
)${TABLE};

-- For people and alarms; correctness rests on finance's cursor.
CREATE TABLE IF NOT EXISTS sync_progress (
  lane_id ${BIG_KEY},
  acknowledged_seq BIGINT NOT NULL,
  at BIGINT NOT NULL,
  last_error VARCHAR(200) NOT NULL
)${TABLE};

-- Sums of a lane's tips up to a number: a cache of what never changes, so that reconciliation reads
-- each tip once.
CREATE TABLE IF NOT EXISTS lane_seal (
  lane_id ${BIG_KEY},
  seq BIGINT NOT NULL,
  tips BIGINT NOT NULL,
  amount BIGINT NOT NULL
)${TABLE};
