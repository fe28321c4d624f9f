-- Conditions that operators are told of. severity: 1 warning, 2 critical. open_mark: 1 until it is
-- resolved, then NULL, so that a rule has one open alert for each subject and any number of resolved ones.
CREATE TABLE IF NOT EXISTS alert (
  id ${AUTO_ID},
  rule_name VARCHAR(64) NOT NULL,
  subject VARCHAR(200) NOT NULL,
  node VARCHAR(128) NOT NULL,
  severity TINYINT NOT NULL,
  detail VARCHAR(500) NOT NULL,
  raised_at BIGINT NOT NULL,
  acknowledged_at BIGINT NULL,
  acknowledged_by BIGINT NULL,
  resolved_at BIGINT NULL,
  open_mark TINYINT NULL,
  CONSTRAINT uq_alert_open UNIQUE (rule_name, subject, open_mark)
)${TABLE};
CREATE INDEX ix_alert_open ON alert (open_mark, id);

-- Settings changed at run time; what is not here is as each node is configured.
CREATE TABLE IF NOT EXISTS setting (
  name VARCHAR(64) NOT NULL,
  value VARCHAR(200) NOT NULL,
  changed_at BIGINT NOT NULL,
  changed_by BIGINT NOT NULL,
  PRIMARY KEY (name)
)${TABLE};
