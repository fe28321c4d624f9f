#include "platform/deadline.h"

#include <gtest/gtest.h>
#include <trantor/net/EventLoopThread.h>

#include <future>

namespace tipflow {
namespace {

constexpr Duration kLong{60 * kUsPerSecond};
constexpr Duration kShort{10'000};

class Deadline : public ::testing::Test {
 protected:
  void SetUp() override { thread.run(); }

  /// What `ask` comes to on the event loop.
  std::optional<int> on(std::function<drogon::Task<std::optional<int>>()> ask) {
    std::promise<std::optional<int>> answer;
    thread.getLoop()->queueInLoop([&] {
      drogon::async_run([&]() -> drogon::Task<> {
        try {
          auto asked = ask();
          const auto value = co_await std::move(asked);
          answer.set_value(value);
        } catch (...) {
          answer.set_exception(std::current_exception());
        }
      });
    });
    return answer.get_future().get();
  }
  drogon::Task<int> after(double seconds, int value) {
    co_await drogon::sleepCoro(thread.getLoop(), seconds);
    ended = true;
    co_return value;
  }
  drogon::Task<int> atOnce(int value) { co_return value; }
  drogon::Task<int> failing() {
    co_await drogon::sleepCoro(thread.getLoop(), 0.001);
    throw std::runtime_error("the well is dry");
  }

  trantor::EventLoopThread thread;
  std::atomic<bool> ended{false};
};

TEST_F(Deadline, gives_what_comes_in_time_whether_at_once_or_later) {
  EXPECT_EQ(on([&] { return within(kLong, atOnce(3)); }), 3);
  EXPECT_EQ(on([&] { return within(kLong, after(0.005, 4)); }), 4);
}

TEST_F(Deadline, does_not_wait_for_what_is_late_which_goes_on_by_itself) {
  EXPECT_EQ(on([&] { return within(kShort, after(0.1, 5)); }), std::nullopt);
  EXPECT_FALSE(ended);
  while (!ended) std::this_thread::yield();
}

TEST_F(Deadline, throws_what_the_work_threw) {
  EXPECT_THROW(on([&] { return within(kLong, failing()); }), std::runtime_error);
}

TEST_F(Deadline, has_no_limit_where_there_is_no_event_loop) {
  const auto answer = drogon::sync_wait(within(kShort, after(0.05, 6)));
  EXPECT_EQ(answer, 6);
}

}  // namespace
}  // namespace tipflow
