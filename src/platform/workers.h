// Threads for work that would hold up an event loop: password hashing above all.
#pragma once

#include <drogon/utils/coroutine.h>
#include <trantor/net/EventLoop.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "platform/thread_name.h"

namespace tipflow {

class Workers {
 public:
  /// `name`: of its threads, for people.
  Workers(int threads, std::size_t queue, const char* name) : most_(queue), name_(name) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { loop(); });
  }
  ~Workers() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Runs `work` on a worker and goes on where the caller was. Throws Full at once when too much
  /// waits already.
  class Full : public std::runtime_error {
   public:
    using std::runtime_error::runtime_error;
  };
  template <class Work>
  auto run(Work work) -> drogon::Task<std::invoke_result_t<Work>> {
    std::optional<std::invoke_result_t<Work>> result;
    std::exception_ptr error;
    Switch step{*this, [&] {
                  try {
                    result.emplace(work());
                  } catch (...) {
                    error = std::current_exception();
                  }
                }};
    co_await step;
    if (error) std::rethrow_exception(error);
    if (!result) throw Full("too much is waiting for a worker");
    co_return std::move(*result);
  }

 private:
  struct Switch {
    Workers& workers;
    std::function<void()> job;
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> handle) {
      auto* loop = trantor::EventLoop::getEventLoopOfCurrentThread();
      return workers.submit([job = std::move(job), loop, handle] {
        job();
        if (loop != nullptr) {
          loop->queueInLoop([handle] { handle.resume(); });
        } else {
          handle.resume();
        }
      });
    }
    void await_resume() const noexcept {}
  };

  bool submit(std::function<void()> job) {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= most_) return false;
    queue_.push_back(std::move(job));
    wake_.notify_one();
    return true;
  }
  void loop() {
    nameThread(name_);
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      auto job = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      job();
    }
  }

  std::size_t most_;
  const char* name_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tipflow
