-- What each viewer gave each anchor, and up to which tip of each lane that is counted: both move in
-- one transaction, so that each tip counts once. Can be thrown away and is then counted again.
CREATE TABLE IF NOT EXISTS top_viewer (
  anchor_id BIGINT NOT NULL,
  viewer_id BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  tips BIGINT NOT NULL,
  PRIMARY KEY (anchor_id, viewer_id)
)${TABLE};
CREATE INDEX ix_top_viewer_amount ON top_viewer (anchor_id, amount DESC, viewer_id);

CREATE TABLE IF NOT EXISTS top_viewer_progress (
  lane_id ${BIG_KEY},
  seq BIGINT NOT NULL
)${TABLE};

-- One row, written every moment where there are replicas: how old a replica's row is, is how far the
-- replica is behind.
CREATE TABLE IF NOT EXISTS replica_heartbeat (
  id INT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL
)${TABLE};
