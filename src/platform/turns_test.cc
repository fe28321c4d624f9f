#include "platform/turns.h"

#include <drogon/utils/coroutine.h>
#include <gtest/gtest.h>
#include <trantor/net/EventLoopThread.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace tipflow {
namespace {

/// Takes the turn, and leaves it only on another thread, later.
drogon::Task<> work(Turns& turns, trantor::EventLoop* elsewhere, int& inside, int& most,
                    int& done) {
  auto waiting = turns.take();
  const auto turn = co_await waiting;
  ++inside;
  most = std::max(most, inside);
  co_await drogon::switchThreadCoro(elsewhere);
  --inside;
  ++done;
}

TEST(Turns, are_one_at_a_time_whatever_threads_ask) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 200;
  Turns turns;
  trantor::EventLoopThread elsewhere;
  elsewhere.run();
  // Plain numbers: the turn is what guards them.
  int inside = 0;
  int most = 0;
  int done = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < kRounds; ++k) {
        drogon::sync_wait(work(turns, elsewhere.getLoop(), inside, most, done));
      }
    });
  }
  threads.clear();
  EXPECT_EQ(most, 1);
  EXPECT_EQ(done, kThreads * kRounds);
}

TEST(Turns, are_given_in_the_order_they_were_asked_for) {
  Turns turns;
  std::vector<int> order;
  const auto ask = [&](int i) {
    drogon::async_run([&, i]() -> drogon::Task<> {
      auto waiting = turns.take();
      const auto turn = co_await waiting;
      order.push_back(i);
    });
  };
  std::jthread([&] {  // without an event loop
    auto first = turns.take();
    EXPECT_FALSE(first.await_suspend(std::noop_coroutine()));
    {
      const auto turn = first.await_resume();
      for (int i = 0; i < 5; ++i) ask(i);
      EXPECT_TRUE(order.empty());
    }
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
    ask(5);
    EXPECT_EQ(order.back(), 5);
  })
      .join();
}

TEST(Turns, go_on_where_the_coroutine_was) {
  Turns turns;
  std::atomic<bool> asked = false;
  std::atomic<bool> atHome = false;
  std::atomic<bool> ended = false;
  trantor::EventLoopThread home;
  home.run();
  std::jthread([&] {
    auto first = turns.take();
    EXPECT_FALSE(first.await_suspend(std::noop_coroutine()));
    const auto turn = first.await_resume();
    home.getLoop()->queueInLoop([&] {
      drogon::async_run([&]() -> drogon::Task<> {
        auto waiting = turns.take();
        const auto mine = co_await waiting;
        atHome = home.getLoop()->isInLoopThread();
        ended = true;
        ended.notify_all();
      });
      asked = true;  // and it waits: the turn is held here
      asked.notify_all();
    });
    asked.wait(false);
    EXPECT_FALSE(ended);
  }).join();
  ended.wait(false);
  EXPECT_TRUE(atHome);
}

TEST(Turns, leave_in_peace_who_still_waits_at_the_end) {
  std::jthread([] {
    auto* const held = new Turns;  // its end is what is tested
    auto first = held->take();
    (void)first.await_suspend(std::noop_coroutine());
    auto second = held->take();
    EXPECT_TRUE(second.await_suspend(std::noop_coroutine()));
    delete held;
  }).join();
}

}  // namespace
}  // namespace tipflow
