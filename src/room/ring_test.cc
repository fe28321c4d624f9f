#include "room/ring.h"

#include <gtest/gtest.h>

namespace tipflow::room {
namespace {

TEST(Ring, gives_exactly_what_came_after_an_offset) {
  Ring ring(100);
  for (const char* event : {"1", "2", "3"}) ring.add(event);
  EXPECT_EQ(ring.offset(), 3);
  EXPECT_EQ(ring.since(0), "1,2,3");
  EXPECT_EQ(ring.since(2), "3");
  EXPECT_EQ(ring.since(3), "");
}

TEST(Ring, gives_nothing_for_an_offset_that_never_was) {
  Ring ring(100);
  ring.add("1");
  EXPECT_EQ(ring.since(2), std::nullopt);
  EXPECT_EQ(ring.since(-1), std::nullopt);
  EXPECT_EQ(Ring(100).since(0), "");
}

TEST(Ring, gives_nothing_rather_than_a_part_once_it_has_moved_on) {
  Ring ring(4);
  for (int i = 0; i < 6; ++i) ring.add("xx");
  EXPECT_EQ(ring.offset(), 6);
  EXPECT_LE(ring.bytes(), 4U);
  EXPECT_EQ(ring.since(4), "xx,xx");
  EXPECT_EQ(ring.since(3), std::nullopt);
}

TEST(Ring, an_event_larger_than_itself_is_numbered_and_not_kept) {
  Ring ring(4);
  ring.add("too large");
  EXPECT_EQ(ring.bytes(), 0U);
  EXPECT_EQ(ring.offset(), 1);
  EXPECT_EQ(ring.since(0), std::nullopt);
  EXPECT_EQ(ring.since(1), "");
}

}  // namespace
}  // namespace tipflow::room
