#include "platform/redis/client.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "platform/log.h"
#include "platform/thread_name.h"

namespace tipflow::redis {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kCommandsAtOnce = 1'000;
// A quiet connection is tried, so that one that died is found before somebody needs it.
constexpr Duration kAskEvery{1 * kUsPerSecond};

prometheus::Counter& commands(Metrics& metrics, const char* outcome) {
  return metrics.counter("tipflow_redis_commands_total", "Commands to Redis, by outcome.",
                         {{"outcome", outcome}});
}

// Suspends until the replies are there, and goes on on the event loop it came from (or on the
// client's thread, when it did not come from one).
struct Round {
  Client& client;
  std::vector<Command> commands;
  std::vector<Reply> replies;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    auto* loop = trantor::EventLoop::getEventLoopOfCurrentThread();
    client.submit(std::move(commands), [this, loop, handle](std::vector<Reply> came) {
      replies = std::move(came);
      if (loop != nullptr) {
        loop->queueInLoop([handle] { handle.resume(); });
      } else {
        handle.resume();
      }
    });
  }
  void await_resume() const noexcept {}
};

}  // namespace

Client::Client(Url url, Metrics& metrics, Limits limits)
    : url_(std::move(url)),
      limits_(limits),
      pause_(limits.shortestPause),
      upGauge_(metrics.gauge("tipflow_redis_up", "Whether Redis answers.")),
      answered_(commands(metrics, "answered")),
      refused_(commands(metrics, "refused")),
      lost_(commands(metrics, "lost")),
      away_(commands(metrics, "away")),
      seconds_(metrics.histogram("tipflow_redis_round_trip_seconds",
                                 "Time of commands that were sent together and their replies.",
                                 latencyBounds())) {}

Client::~Client() { stop(); }

void Client::start() {
  thread_ = std::thread([this] { work(); });
}

void Client::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Client::waitUntilUp(Duration limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [this] { return up_.load(); });
}

drogon::Task<std::vector<Reply>> Client::run(std::vector<Command> commands) {
  if (!up()) {
    away_.Increment(static_cast<double>(commands.size()));
    co_return std::vector<Reply>{};
  }
  Round round{*this, std::move(commands), {}};
  co_await round;
  co_return std::move(round.replies);
}

void Client::submit(std::vector<Command> commands, Done done) {
  const auto count = commands.size();
  {
    const std::lock_guard lock(mutex_);
    if (up_ && !stopping_ && waiting_ + count <= limits_.queue) {
      queue_.push_back({std::move(commands), std::move(done)});
      waiting_ += count;
      wake_.notify_one();
      return;
    }
  }
  away_.Increment(static_cast<double>(count));
  done({});
}

void Client::work() {
  nameThread("redis");
  ignoreBrokenPipes();
  for (;;) {
    if (!connection_ && !connect()) {
      if (!pause()) return;
      continue;
    }
    if (!serve()) return;
  }
}

bool Client::connect() {
  try {
    connection_ = std::make_unique<Connection>(url_, limits_.connect);
  } catch (const Away& away) {
    if (!said_) {
      log::warn("platform", "Redis is away", log::field("redis", url_.shown()),
                log::field("why", std::string_view(away.what())));
    }
    said_ = true;
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    up_ = true;
  }
  changed_.notify_all();
  upGauge_.Set(1);
  log::info("platform", "Redis is there", log::field("redis", url_.shown()));
  said_ = false;
  pause_ = limits_.shortestPause;
  for (const auto& listener : listeners_) listener(true);
  return true;
}

bool Client::pause() {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, pause_, [this] { return stopping_; });
  pause_ = std::min(pause_ * 2, limits_.longestPause);
  return !stopping_;
}

// One round trip, or one wait for somebody to ask; false when all is over.
bool Client::serve() {
  auto asked = take();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ && asked.empty()) return false;
  }
  std::vector<Command> commands;
  for (auto& pending : asked) {  // each keeps how many it had
    std::move(pending.commands.begin(), pending.commands.end(), std::back_inserter(commands));
  }
  if (commands.empty()) commands.push_back({"PING"});
  const auto began = steady_clock::now();
  try {
    auto replies = connection_->run(commands, limits_.answer);
    if (asked.empty()) return true;
    const std::chrono::duration<double> took = steady_clock::now() - began;
    seconds_.Observe(took.count());
    const auto errors = std::count_if(replies.begin(), replies.end(),
                                      [](const Reply& reply) { return reply.isError(); });
    refused_.Increment(static_cast<double>(errors));
    answered_.Increment(static_cast<double>(replies.size()) - static_cast<double>(errors));
    answer(asked, std::move(replies));
  } catch (const Away& away) {
    lost_.Increment(static_cast<double>(asked.empty() ? 0 : commands.size()));
    lose(std::move(asked), away.what());
  }
  return true;
}

// What waits, up to a bound; nothing when for a while nobody asked.
std::vector<Client::Pending> Client::take() {
  std::vector<Pending> asked;
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, kAskEvery, [this] { return stopping_ || !queue_.empty(); });
  std::size_t taken = 0;
  while (!queue_.empty() && (asked.empty() || taken < kCommandsAtOnce)) {
    taken += queue_.front().commands.size();
    asked.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  waiting_ -= taken;
  return asked;
}

// The connection is of no use any more: who waits is told, and so is everybody until the next one.
void Client::lose(std::vector<Pending> asked, const std::string& why) {
  connection_.reset();
  upGauge_.Set(0);
  std::deque<Pending> queued;
  {
    const std::lock_guard lock(mutex_);
    up_ = false;
    queued.swap(queue_);
    away_.Increment(static_cast<double>(waiting_));
    waiting_ = 0;
  }
  log::warn("platform", "the connection to Redis is lost", log::field("redis", url_.shown()),
            log::field("why", std::string_view(why)));
  said_ = true;
  for (const auto& listener : listeners_) listener(false);
  for (auto& pending : asked) pending.done({});
  for (auto& pending : queued) pending.done({});
}

void Client::answer(std::vector<Pending>& asked, std::vector<Reply> replies) {
  auto next = std::make_move_iterator(replies.begin());
  for (auto& pending : asked) {
    const auto end = next + static_cast<std::ptrdiff_t>(pending.commands.size());
    pending.done(std::vector<Reply>(next, end));
    next = end;
  }
}

}  // namespace tipflow::redis
