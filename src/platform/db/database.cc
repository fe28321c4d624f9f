#include "platform/db/database.h"

#include "platform/db/replicas.h"
#include "platform/thread_name.h"

namespace tipflow::db {

Database::Database(std::string name, Url url, PoolOptions options)
    : name_(std::move(name)), url_(std::move(url)), options_(options) {
  threads_.reserve(static_cast<std::size_t>(options_.threads));
  for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { work(); });
}

Database::~Database() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

std::size_t Database::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

Database* Database::chooseReplica() {
  auto* replica = replicas_ != nullptr ? replicas_->choose() : nullptr;
  if (auto* counter = asideReads_[replica != nullptr ? 1 : 0]) counter->Increment();
  return replica;
}

void Database::leaveOut(const Database& replica) { replicas_->failed(replica); }

void Database::submit(Queued job, trantor::EventLoop* loop, std::coroutine_handle<> handle) {
  Pending pending{std::move(job), loop, handle, std::chrono::steady_clock::now()};
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && queue_.size() < options_.queue) {
      queue_.push_back(std::move(pending));
      wake_.notify_one();
      return;
    }
  }
  count(Outcome::queueFull);
  pending.job.fail(std::make_exception_ptr(Unavailable(0, name_ + ": too much is waiting for it")));
  resume(pending);
}

void Database::work() {
  nameThread(name_);
  std::unique_ptr<Connection> connection;
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Pending pending = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    if (waitSeconds_ != nullptr) {
      const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - pending.since;
      waitSeconds_->Observe(waited.count());
    }
    busy_.fetch_add(1, std::memory_order_relaxed);
    count(runOne(pending, connection));
    busy_.fetch_sub(1, std::memory_order_relaxed);
    resume(pending);
  }
}

Database::Outcome Database::runOne(Pending& pending, std::unique_ptr<Connection>& connection) {
  for (int attempt = 1;; ++attempt) {
    const bool fresh = connection == nullptr;
    try {
      if (fresh) connection = connect(options_.answerTimeout);
      pending.job.run(*connection);
      return Outcome::done;
    } catch (const Unavailable&) {
      connection.reset();
      // Nothing was sent: on a kept connection that had died, once more on a new one.
      if (!fresh && attempt == 1) continue;
      pending.job.fail(std::current_exception());
      return Outcome::unavailable;
    } catch (const ConnectionLost&) {
      connection.reset();
      // A kept connection may have died long ago; a read is simply asked again on a new one.
      if (pending.job.repeatable && attempt == 1) continue;
      pending.job.fail(std::current_exception());
      return Outcome::lost;
    } catch (...) {
      if (connection) connection->rollback();  // whatever the work left open
      const auto error = std::current_exception();
      pending.job.fail(error);
      return outcomeOf(error);
    }
  }
}

Database::Outcome Database::outcomeOf(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const RolledBack&) {
    return Outcome::rolledBack;
  } catch (const Error&) {
    return Outcome::refused;
  } catch (...) {
    return Outcome::undone;
  }
}

void Database::count(Outcome outcome) {
  if (auto* counter = outcomes_[static_cast<std::size_t>(outcome)]) counter->Increment();
}

void Database::measure(Metrics& metrics) {
  constexpr std::array<const char*, kOutcomes> kWords{
      "done", "undone", "refused", "rolled_back", "lost", "unavailable", "queue_full"};
  const Labels labels{{"database", name_}};
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < kOutcomes; ++i) {
      outcomes_[i] = &metrics.counter("tipflow_database_queries_total",
                                      "Work done on a pool's connections, by outcome.",
                                      {{"database", name_}, {"outcome", kWords[i]}});
    }
    for (const std::size_t i : {0U, 1U}) {
      asideReads_[i] =
          &metrics.counter("tipflow_database_aside_reads_total",
                           "Reads that a replica may answer, by who was asked.",
                           {{"database", name_}, {"asked", i == 1 ? "replica" : "primary"}});
    }
    waitSeconds_ = &metrics.histogram("tipflow_database_pool_wait_seconds",
                                      "Time that work waited for a connection of the pool.",
                                      latencyBounds(), labels);
  }
  // Not under the lock: a collection holds the metrics and then asks what waits here.
  metrics.gauge("tipflow_database_pool_connections", "Connections of the pool.", labels)
      .Set(options_.threads);
  auto& busy = metrics.gauge("tipflow_database_pool_busy_connections",
                             "Connections of the pool at work.", labels);
  auto& queued =
      metrics.gauge("tipflow_database_pool_waiting", "Work waiting for a connection.", labels);
  metrics.beforeCollect([this, &busy, &queued] {
    busy.Set(busy_.load(std::memory_order_relaxed));
    queued.Set(static_cast<double>(waiting()));
  });
}

void Database::resume(const Pending& pending) {
  if (pending.loop != nullptr) {
    pending.loop->queueInLoop([handle = pending.handle] { handle.resume(); });
  } else {
    pending.handle.resume();
  }
}

}  // namespace tipflow::db
