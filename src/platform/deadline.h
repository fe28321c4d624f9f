// Waiting for an answer no longer than it is worth.
#pragma once

#include <drogon/utils/coroutine.h>
#include <trantor/net/EventLoop.h>

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>

#include "base/time.h"

namespace tipflow {

/// Shared by the one who waits, the work, and the timer. Whoever is first decides, on the waiter's
/// loop.
template <class T>
struct Race {
  explicit Race(trantor::EventLoop* waitersLoop) : loop(waitersLoop) {}

  trantor::EventLoop* loop;
  std::coroutine_handle<> waiter;
  bool over = false;
  bool inTime = false;
  std::optional<T> value;
  std::exception_ptr error;

  /// Queued, never at once: the waiter may still be on its way to sleep.
  static void end(const std::shared_ptr<Race>& race, bool inTime) {
    race->loop->queueInLoop([race, inTime] {
      if (race->over) return;
      race->over = true;
      race->inTime = inTime;
      race->waiter.resume();
    });
  }
  static drogon::AsyncTask run(std::shared_ptr<Race> race, drogon::Task<T> work) {
    try {
      auto value = co_await std::move(work);
      race->value.emplace(std::move(value));
    } catch (...) {
      race->error = std::current_exception();
    }
    end(race, true);
  }
};

/// What `work` comes to; nullopt when it has not ended within `limit`: it then goes on by itself,
/// and what it refers to must live that long. Throws what it threw. Without an event loop on this
/// thread there is no limit.
template <class T>
drogon::Task<std::optional<T>> within(Duration limit, drogon::Task<T> work) {
  struct Wait {
    std::shared_ptr<Race<T>> race;
    drogon::Task<T> work;
    double seconds;
    trantor::TimerId timer{};
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      race->waiter = handle;
      timer = race->loop->runAfter(seconds, [race = race] { Race<T>::end(race, false); });
      Race<T>::run(race, std::move(work));
    }
    void await_resume() const noexcept {}
  };
  auto* loop = trantor::EventLoop::getEventLoopOfCurrentThread();
  if (loop == nullptr) co_return co_await std::move(work);
  const auto race = std::make_shared<Race<T>>(loop);
  const double seconds = static_cast<double>(limit.count()) / static_cast<double>(kUsPerSecond);
  Wait wait{race, std::move(work), seconds};
  co_await wait;
  if (!race->inTime) co_return std::nullopt;
  loop->invalidateTimer(wait.timer);
  if (race->error) std::rethrow_exception(race->error);
  co_return std::move(race->value);
}

}  // namespace tipflow
