-- Where an anchor's money goes. `sealed`: the account as one JSON document, encrypted for this row
-- under the data key `key_id`.
CREATE TABLE IF NOT EXISTS payout_account (
  anchor_id ${BIG_KEY},
  key_id VARCHAR(32) NOT NULL,
  sealed VARCHAR(2000) NOT NULL,
  updated_at BIGINT NOT NULL
)${TABLE};
CREATE INDEX ix_payout_account_key ON payout_account (key_id, anchor_id);

-- One row: who seals an account holds it shared, who drops a data key alone.
CREATE TABLE IF NOT EXISTS payout_account_guard (
  id INT NOT NULL PRIMARY KEY
)${TABLE};
