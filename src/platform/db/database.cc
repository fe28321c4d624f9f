#include "platform/db/database.h"

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

void Database::submit(Queued job, trantor::EventLoop* loop, std::coroutine_handle<> handle) {
  Pending pending{std::move(job), loop, handle};
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && queue_.size() < options_.queue) {
      queue_.push_back(std::move(pending));
      wake_.notify_one();
      return;
    }
  }
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
    runOne(pending, connection);
    resume(pending);
  }
}

void Database::runOne(Pending& pending, std::unique_ptr<Connection>& connection) {
  for (int attempt = 1;; ++attempt) {
    const bool fresh = connection == nullptr;
    try {
      if (fresh) connection = connect();
      pending.job.run(*connection);
      return;
    } catch (const Unavailable&) {
      connection.reset();
      // Nothing was sent: on a kept connection that had died, once more on a new one.
      if (!fresh && attempt == 1) continue;
      pending.job.fail(std::current_exception());
      return;
    } catch (const ConnectionLost&) {
      connection.reset();
      // A kept connection may have died long ago; a read is simply asked again on a new one.
      if (pending.job.repeatable && attempt == 1) continue;
      pending.job.fail(std::current_exception());
      return;
    } catch (...) {
      if (connection) connection->rollback();  // whatever the work left open
      pending.job.fail(std::current_exception());
      return;
    }
  }
}

void Database::resume(const Pending& pending) {
  if (pending.loop != nullptr) {
    pending.loop->queueInLoop([handle = pending.handle] { handle.resume(); });
  } else {
    pending.handle.resume();
  }
}

}  // namespace tipflow::db
