-- When a node with open alerts was last heard, give or take a part of what counts as gone. A node without open alerts has no row.
CREATE TABLE IF NOT EXISTS alert_node (
  node VARCHAR(128) NOT NULL,
  heard_at BIGINT NOT NULL,
  PRIMARY KEY (node)
)${TABLE};
