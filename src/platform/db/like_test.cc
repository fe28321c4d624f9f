#include "platform/db/like.h"

#include <gtest/gtest.h>

namespace tipflow::db {
namespace {

TEST(LikePattern, takes_what_people_type_literally) {
  EXPECT_EQ(containsPattern("abc"), "%abc%");
  EXPECT_EQ(containsPattern("100%_!"), "%100!%!_!!%");
  EXPECT_EQ(containsPattern(""), "%%");
}

}  // namespace
}  // namespace tipflow::db
