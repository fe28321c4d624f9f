#include "platform/workers.h"

#include <gtest/gtest.h>

#include <thread>

namespace tipflow {
namespace {

TEST(Workers, run_work_elsewhere_and_give_back_what_it_brought) {
  Workers workers(2, 10, "test");
  EXPECT_NE(drogon::sync_wait(workers.run([] { return std::this_thread::get_id(); })),
            std::this_thread::get_id());
}

TEST(Workers, an_error_of_the_work_is_the_callers) {
  Workers workers(1, 10, "test");
  EXPECT_THROW(drogon::sync_wait(workers.run([]() -> int { throw std::domain_error("no"); })),
               std::domain_error);
  EXPECT_EQ(drogon::sync_wait(workers.run([] { return 7; })), 7);
}

TEST(Workers, refuse_at_once_when_too_much_waits) {
  Workers workers(1, 0, "test");
  EXPECT_THROW(drogon::sync_wait(workers.run([] { return 7; })), Workers::Full);
}

}  // namespace
}  // namespace tipflow
