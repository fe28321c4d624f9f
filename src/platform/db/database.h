// A database for coroutines: a few worker threads, each with its own connection, and a bounded
// queue. Work that must own its connection (lanes, the ledger receiver) asks for one with
// `connect`.
#pragma once

#include <drogon/utils/coroutine.h>
#include <trantor/net/EventLoop.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "platform/db/connection.h"
#include "platform/metrics.h"

namespace tipflow::db {

struct PoolOptions {
  int threads = 4;
  std::size_t queue = 5'000;  ///< jobs waiting at most; more are refused with Unavailable
  Duration answerTimeout = kAnswerTimeout;  ///< of its workers' connections
};

class Replicas;

class Database {
 public:
  Database(std::string name, Url url, PoolOptions options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Url& url() const { return url_; }
  [[nodiscard]] std::unique_ptr<Connection> connect(Duration answerTimeout = kAnswerTimeout) const {
    return db::connect(url_, answerTimeout);
  }
  [[nodiscard]] std::size_t waiting() const;
  /// From now on its work is counted. Before any of it; `metrics` must not be asked after this is
  /// gone.
  void measure(Metrics& metrics);

  // g++ 12 destroys a class temporary inside a co_await expression twice: whatever is awaited, and
  // every argument with a destructor, has a name of its own (docs/decisions/0003).

  /// Runs `work(connection)` on a worker; the awaiting coroutine goes on where it was. Work that
  /// only reads is tried once more on a new connection when the first one was lost.
  template <class Work>
  auto read(Work work) -> drogon::Task<std::invoke_result_t<Work, Connection&>> {
    return run(std::move(work), true);
  }
  /// Before any `readAside`. `replicas` must outlive whatever reads.
  void readAsideFrom(Replicas& replicas) { replicas_ = &replicas; }
  /// As `read`, from a replica where one is fresh enough, else from the primary: for lists, reports
  /// and boards, which may be a moment old. Never for what is read to be written, nor where people
  /// look at once for what they have just changed. `work` may run twice, and answers something.
  template <class Work>
  auto readAside(Work work) -> drogon::Task<std::invoke_result_t<Work, Connection&>> {
    if (Database* replica = chooseReplica()) {
      std::optional<std::invoke_result_t<Work, Connection&>> found;
      try {
        Work copy = work;
        auto reading = replica->run(std::move(copy), false);
        found.emplace(co_await reading);
      } catch (const Error&) {
        leaveOut(*replica);
      }
      if (found) co_return std::move(*found);
    }
    auto reading = read(std::move(work));
    co_return co_await reading;
  }
  /// A page of a list: the first one from the primary, for it holds what somebody has just done;
  /// those behind it, of older things, as `readAside`.
  template <class Work>
  auto readPage(bool first, Work work) -> drogon::Task<std::invoke_result_t<Work, Connection&>> {
    return first ? read(std::move(work)) : readAside(std::move(work));
  }
  /// As `read`, in a transaction with bounded retry (db::transact). ConnectionLost means that
  /// whether it committed is not known.
  template <class Work>
  auto write(Work work) -> drogon::Task<std::invoke_result_t<Work, Connection&>> {
    auto inTransaction = [work = std::move(work)](Connection& c) mutable {
      return transact(c, work);
    };
    return run(std::move(inTransaction), false);
  }

 private:
  using Job = std::function<void(Connection&)>;
  /// A job and what to call when no connection could be had for it.
  struct Queued {
    Job run;
    std::function<void(std::exception_ptr)> fail;
    bool repeatable;
  };

  template <class R>
  struct Slot {
    std::optional<std::conditional_t<std::is_void_v<R>, bool, R>> value;
    std::exception_ptr error;
  };

  template <class Work>
  auto run(Work work, bool repeatable) -> drogon::Task<std::invoke_result_t<Work, Connection&>> {
    using R = std::invoke_result_t<Work, Connection&>;
    Slot<R> slot;
    Switch step{*this, Queued{[&slot, &work](Connection& c) {
                                if constexpr (std::is_void_v<R>) {
                                  work(c);
                                  slot.value = true;
                                } else {
                                  slot.value.emplace(work(c));
                                }
                              },
                              [&slot](std::exception_ptr error) { slot.error = std::move(error); },
                              repeatable}};
    co_await step;
    if (slot.error) std::rethrow_exception(slot.error);
    if constexpr (!std::is_void_v<R>) co_return std::move(*slot.value);
  }

  // Suspends, hands the job to a worker, and is resumed on the event loop it came from (or on the
  // worker, when it did not come from one).
  struct Switch {
    Database& database;
    Queued job;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      database.submit(std::move(job), trantor::EventLoop::getEventLoopOfCurrentThread(), handle);
    }
    void await_resume() const noexcept {}
  };

  struct Pending {
    Queued job;
    trantor::EventLoop* loop;
    std::coroutine_handle<> handle;
    std::chrono::steady_clock::time_point since;
  };
  /// How a job ended, as far as the database is concerned.
  enum class Outcome { done, undone, refused, rolledBack, lost, unavailable, queueFull };
  static constexpr std::size_t kOutcomes = 7;

  /// nullptr where none is fresh; counts which way the read goes.
  Database* chooseReplica();
  void leaveOut(const Database& replica);
  void submit(Queued job, trantor::EventLoop* loop, std::coroutine_handle<> handle);
  void work();
  Outcome runOne(Pending& pending, std::unique_ptr<Connection>& connection);
  void count(Outcome outcome);
  static Outcome outcomeOf(const std::exception_ptr& error);
  static void resume(const Pending& pending);

  std::string name_;
  Url url_;
  PoolOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Pending> queue_;
  bool stopping_ = false;
  std::atomic<int> busy_{0};
  Replicas* replicas_ = nullptr;
  std::array<prometheus::Counter*, 2> asideReads_{};  // of the primary, of replicas
  prometheus::Histogram* waitSeconds_ = nullptr;
  std::array<prometheus::Counter*, kOutcomes> outcomes_{};
  std::vector<std::thread> threads_;
};

}  // namespace tipflow::db
