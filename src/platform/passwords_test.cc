#include "platform/passwords.h"

#include <gtest/gtest.h>

namespace tipflow {
namespace {

constexpr crypto::PasswordCost kCheap{8, 1};

TEST(Passwords, fit_their_own_hash_only) {
  crypto::initialise();
  Workers workers(1, 10, "test");
  Passwords passwords(workers, kCheap);
  const auto hash = drogon::sync_wait(passwords.hash("correct horse"));
  EXPECT_TRUE(drogon::sync_wait(passwords.verify(hash, "correct horse")));
  EXPECT_FALSE(drogon::sync_wait(passwords.verify(hash, "correct house")));
}

TEST(Passwords, no_password_fits_a_name_that_is_not_known) {
  crypto::initialise();
  Workers workers(1, 10, "test");
  Passwords passwords(workers, kCheap);
  for (const auto* password : {"", "decoy", "correct horse"}) {
    EXPECT_FALSE(drogon::sync_wait(passwords.verify(std::nullopt, password))) << password;
  }
}

TEST(Passwords, too_many_at_once_are_told_to_come_back) {
  crypto::initialise();
  Workers workers(1, 0, "test");
  Passwords passwords(workers, kCheap);
  try {
    (void)drogon::sync_wait(passwords.verify(std::nullopt, "correct horse"));
    FAIL();
  } catch (const http::Refused& refused) {
    EXPECT_EQ(refused.rejection().code, ErrorCode::overloaded);
  }
}

}  // namespace
}  // namespace tipflow
