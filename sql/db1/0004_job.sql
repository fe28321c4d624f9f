-- Recurring jobs: when each is due, who runs it, and under which epoch its results may be written.
-- release_every_ms: as the release has it; every_ms: as operators want it, 0: as the release has it.
-- asked_at 0: nobody asked for a run out of turn. holder '': nobody.
CREATE TABLE IF NOT EXISTS job (
  name VARCHAR(64) NOT NULL PRIMARY KEY,
  role VARCHAR(32) NOT NULL,
  release_every_ms BIGINT NOT NULL,
  every_ms BIGINT NOT NULL,
  paused TINYINT NOT NULL,
  asked_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  holder VARCHAR(128) NOT NULL,
  epoch BIGINT NOT NULL,
  lease_until BIGINT NOT NULL
)${TABLE};

-- outcome: 0 running (or its node died), 1 succeeded, 2 failed, 3 another node had taken over,
-- 4 ended before it was done: its node left, died or froze.
CREATE TABLE IF NOT EXISTS job_run (
  id ${AUTO_ID},
  name VARCHAR(64) NOT NULL,
  node VARCHAR(128) NOT NULL,
  epoch BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT NULL,
  items BIGINT NOT NULL,
  outcome TINYINT NOT NULL,
  detail VARCHAR(500) NOT NULL
)${TABLE};
CREATE INDEX ix_job_run_name ON job_run (name, id);
