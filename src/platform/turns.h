// Coroutines one after the other, in the order they came: a lock that suspends instead of blocking.
// Those that still wait when the process ends are left where they are.
#pragma once

#include <trantor/net/EventLoop.h>

#include <coroutine>
#include <deque>
#include <mutex>
#include <utility>

namespace tipflow {

class Turns {
 public:
  /// Whoever holds it has the turn.
  class Turn {
   public:
    explicit Turn(Turns* turns) : turns_(turns) {}
    Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_ != nullptr) turns_->pass();
    }

   private:
    Turns* turns_;
  };

  /// `auto waiting = turns.take(); const auto turn = co_await waiting;` goes on where it was: on
  /// the event loop, or, without one, on the thread that passes the turn.
  struct Wait {
    Turns& turns;

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> handle) {
      const std::lock_guard lock(turns.mutex_);
      if (!std::exchange(turns.taken_, true)) return false;
      turns.waiting_.push_back({handle, trantor::EventLoop::getEventLoopOfCurrentThread()});
      return true;
    }
    [[nodiscard]] Turn await_resume() const noexcept { return Turn(&turns); }
  };
  [[nodiscard]] Wait take() { return {*this}; }

 private:
  struct Waiting {
    std::coroutine_handle<> handle;
    trantor::EventLoop* loop;
  };

  void pass() {
    Waiting next{};
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) {
        taken_ = false;
        return;
      }
      next = waiting_.front();
      waiting_.pop_front();
    }
    if (next.loop != nullptr) {
      next.loop->queueInLoop([handle = next.handle] { handle.resume(); });
    } else {
      next.handle.resume();
    }
  }

  std::mutex mutex_;
  bool taken_ = false;
  std::deque<Waiting> waiting_;
};

}  // namespace tipflow
