#include "platform/redis/url.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace tipflow::redis {
namespace {

TEST(RedisUrl, names_a_server_and_the_rest_where_it_is_not_the_usual) {
  const auto plain = Url::parse("redis://cache.example");
  EXPECT_EQ(plain.host, "cache.example");
  EXPECT_EQ(plain.port, 6379);
  EXPECT_EQ(plain.user, "");
  EXPECT_EQ(plain.password, "");
  EXPECT_EQ(plain.database, 0);

  const auto whole = Url::parse("redis://tipflow:secret@10.0.0.7:6380/3");
  EXPECT_EQ(whole.host, "10.0.0.7");
  EXPECT_EQ(whole.port, 6380);
  EXPECT_EQ(whole.user, "tipflow");
  EXPECT_EQ(whole.password, "secret");
  EXPECT_EQ(whole.database, 3);
  EXPECT_EQ(Url::parse("redis://[::1]:6380").host, "::1");
  EXPECT_EQ(Url::parse("redis://h:6380/").database, 0);
}

TEST(RedisUrl, a_password_may_stand_alone_and_hold_anything) {
  const auto alone = Url::parse("redis://:secret@h");
  EXPECT_EQ(alone.user, "");
  EXPECT_EQ(alone.password, "secret");
  EXPECT_EQ(Url::parse("redis://:p%40%3A%2F@h").password, "p@:/");
  EXPECT_EQ(Url::parse("redis://:a/b:c@d@h/1").password, "a/b:c@d");
}

TEST(RedisUrl, is_shown_without_the_password) {
  EXPECT_EQ(Url::parse("redis://tipflow:secret@h:6380/3").shown(), "redis://tipflow@h:6380/3");
  EXPECT_EQ(Url::parse("redis://:secret@[::1]").shown(), "redis://[::1]:6379/0");
}

TEST(RedisUrl, refuses_what_it_does_not_understand) {
  for (const auto* text :
       {"", "h:6379", "rediss://h", "redis://", "redis://:6379", "redis://h:0", "redis://h:65536",
        "redis://h:x", "redis://h/x", "redis://h/-1", "redis://h/1/2", "redis://secret@h",
        "redis://h?timeout=1", "redis://h/1?x", "redis://h h", "redis://:a%00b@h"}) {
    EXPECT_THROW((void)Url::parse(text), std::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace tipflow::redis
