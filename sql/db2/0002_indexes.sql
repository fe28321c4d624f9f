CREATE INDEX ix_share_rate_anchor ON share_rate (anchor_id, effective_from, id);
CREATE INDEX ix_withdrawal_anchor ON withdrawal (anchor_id, id);
CREATE INDEX ix_withdrawal_state ON withdrawal (state, id);
