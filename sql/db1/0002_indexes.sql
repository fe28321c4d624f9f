-- What lists read: a viewer's tips, a room's tips, all tips, each newest first.
CREATE INDEX ix_room_session_room ON room_session (room_id, id);
CREATE INDEX ix_anchor_tag_tag ON anchor_tag (tag, anchor_id);
CREATE INDEX ix_room_tag_tag ON room_tag (tag, room_id);
CREATE INDEX ix_viewer_tag_tag ON viewer_tag (tag, viewer_id);
CREATE INDEX ix_writer_lane_state ON writer_lane (state, lease_until);
CREATE INDEX ix_tip_viewer ON tip (viewer_id, accepted_at);
CREATE INDEX ix_tip_room ON tip (room_id, accepted_at);
CREATE INDEX ix_tip_accepted ON tip (accepted_at);
