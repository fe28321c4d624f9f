-- One row, written every moment where there are replicas (as in DB1).
CREATE TABLE IF NOT EXISTS replica_heartbeat (
  id INT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL
)${TABLE};

-- What was settled since an hour, over all anchors.
CREATE INDEX ix_settlement_hour_hour ON settlement_hour (hour);
