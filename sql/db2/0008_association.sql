-- What viewers did in which anchor's room, all told: tips by the ledger up to association_progress, seconds
-- watched as the room role tells. Any order of events leads to the same rows.
CREATE TABLE IF NOT EXISTS viewer_activity (
  viewer_id BIGINT NOT NULL,
  anchor_id BIGINT NOT NULL,
  tips BIGINT NOT NULL,
  watched_seconds BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  PRIMARY KEY (viewer_id, anchor_id)
)${TABLE};
CREATE INDEX ix_viewer_activity_anchor ON viewer_activity (anchor_id, viewer_id);

-- How far each lane of the ledger stands in viewer_activity.
CREATE TABLE IF NOT EXISTS association_progress (
  lane_id ${BIG_KEY},
  last_seq BIGINT NOT NULL
)${TABLE};

-- Viewers whose tags are to be counted again.
CREATE TABLE IF NOT EXISTS association_dirty (
  viewer_id ${BIG_KEY}
)${TABLE};

-- Counts are kept by generation: one is published, a next one may be under way. Its weights are relative to
-- base_day (days since 1970), by the rules numbered rules. counted_to: up to which viewer it was counted. as_of: until
-- when it is complete.
CREATE TABLE IF NOT EXISTS association_generation (
  generation ${BIG_KEY},
  rules BIGINT NOT NULL,
  base_day BIGINT NOT NULL,
  published TINYINT NOT NULL,
  counted_to BIGINT NOT NULL,
  as_of BIGINT NOT NULL
)${TABLE};

-- The tags an anchor's room was last counted with, one a line.
CREATE TABLE IF NOT EXISTS association_room (
  anchor_id ${BIG_KEY},
  tags TEXT NOT NULL
)${TABLE};

-- With what each viewer stands in the sums below: its own tags, and all its tags with their weights, one a line.
CREATE TABLE IF NOT EXISTS association_viewer (
  generation BIGINT NOT NULL,
  viewer_id BIGINT NOT NULL,
  carried TEXT NOT NULL,
  weights TEXT NOT NULL,
  PRIMARY KEY (generation, viewer_id)
)${TABLE};

CREATE TABLE IF NOT EXISTS association_tag (
  generation BIGINT NOT NULL,
  tag VARCHAR(32) NOT NULL,
  weight BIGINT NOT NULL,
  viewers BIGINT NOT NULL,
  PRIMARY KEY (generation, tag)
)${TABLE};

-- Each pair once, tag_a before tag_b.
CREATE TABLE IF NOT EXISTS association_pair (
  generation BIGINT NOT NULL,
  tag_a VARCHAR(32) NOT NULL,
  tag_b VARCHAR(32) NOT NULL,
  weight BIGINT NOT NULL,
  viewers BIGINT NOT NULL,
  PRIMARY KEY (generation, tag_a, tag_b)
)${TABLE};
CREATE INDEX ix_association_pair_b ON association_pair (generation, tag_b, tag_a);
