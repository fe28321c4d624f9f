-- Who may not enter a room, and who may not chat there, until when. A row stands until its time is over, and
-- goes some time after. by_kind: 2 the room's anchor, 3 an operator.
CREATE TABLE IF NOT EXISTS room_kick (
  room_id BIGINT NOT NULL,
  viewer_id BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  by_kind TINYINT NOT NULL,
  by_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (room_id, viewer_id)
)${TABLE};
CREATE INDEX ix_room_kick_until ON room_kick (until_at);

CREATE TABLE IF NOT EXISTS room_mute (
  room_id BIGINT NOT NULL,
  viewer_id BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  by_kind TINYINT NOT NULL,
  by_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (room_id, viewer_id)
)${TABLE};
CREATE INDEX ix_room_mute_until ON room_mute (until_at);

-- What was said in rooms, for operators to search; dropped by age.
CREATE TABLE IF NOT EXISTS chat_message (
  id ${AUTO_ID},
  room_id BIGINT NOT NULL,
  session_id BIGINT NOT NULL,
  viewer_id BIGINT NOT NULL,
  text VARCHAR(500) NOT NULL,
  at BIGINT NOT NULL
)${TABLE};
CREATE INDEX ix_chat_message_room ON chat_message (room_id, at, id);
CREATE INDEX ix_chat_message_viewer ON chat_message (room_id, viewer_id, at, id);
CREATE INDEX ix_chat_message_at ON chat_message (at);

-- How many watched a session: kept when it closes, and known only for sessions that did.
CREATE TABLE IF NOT EXISTS session_audience (
  session_id ${BIG_KEY},
  peak_viewers BIGINT NOT NULL,
  joins BIGINT NOT NULL,
  chats BIGINT NOT NULL
)${TABLE};
