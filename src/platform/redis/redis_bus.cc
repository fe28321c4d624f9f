#include "platform/redis/redis_bus.h"

#include <fmt/ranges.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "platform/log.h"
#include "platform/thread_name.h"

namespace tipflow::redis {
namespace {

using std::chrono::steady_clock;

// What tells others on which topics messages of a process were lost, divided by blanks.
constexpr const char* kLossTopic = "bus.loss";
// A gap in all topics there are.
const Bus::Topics kAnyTopic;
// A quiet connection is asked whether it lives, and has so long to say so.
constexpr Duration kAskEvery{1 * kUsPerSecond};
constexpr Duration kSilentFor{3 * kUsPerSecond};

prometheus::Counter& messages(Metrics& metrics, const char* outcome) {
  return metrics.counter("tipflow_bus_messages_total",
                         "Messages between nodes: published, received, and not got rid of.",
                         {{"outcome", outcome}});
}

Bus::Topics topicsOf(std::string_view text) {
  Bus::Topics topics;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    if (end > 0) topics.emplace(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return topics;
}

bool concerns(const Bus::Topics& gap, const Bus::Topics& topics) {
  return gap.empty() ||
         std::ranges::any_of(gap, [&](const auto& topic) { return topics.contains(topic); });
}

}  // namespace

std::string channelOf(int database, const std::string& topic) {
  return fmt::format("tipflow:{}:{}", database, topic);
}

RedisBus::RedisBus(Client& client, std::string process, Metrics& metrics, Limits limits)
    : client_(client),
      process_(std::move(process)),
      limits_(limits),
      topics_{kLossTopic},
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      sent_(messages(metrics, "published")),
      received_(messages(metrics, "received")),
      missed_(messages(metrics, "lost")),
      gaps_(metrics.counter("tipflow_bus_gaps_total",
                            "Times that messages of other nodes may have been missed.")) {
  if (wake_ < 0) throw std::runtime_error("no file descriptor for the bus");
  client_.onChange([this](bool up) {
    if (up) tellLoss();
  });
}

RedisBus::~RedisBus() {
  stop();
  close(wake_);
}

void RedisBus::stop() {
  stopping_ = true;
  eventfd_write(wake_, 1);
  if (thread_.joinable()) thread_.join();
}

std::string RedisBus::channel(const std::string& topic) const {
  return channelOf(client_.url().database, topic);
}

void RedisBus::publish(const std::string& topic, std::string_view message) {
  local_.publish(topic, message);
  std::vector<Command> commands{{"PUBLISH", channel(topic), process_ + std::string(message)}};
  client_.submit(std::move(commands), [this, topic](const std::vector<Reply>& replies) {
    if (!replies.empty() && !replies.front().isError()) {
      sent_.Increment();
      return;
    }
    missed_.Increment();
    noteLoss({topic});
    if (client_.up()) tellLoss();
  });
}

void RedisBus::noteLoss(const Topics& topics) {
  const std::lock_guard lock(mutex_);
  lost_.insert(topics.begin(), topics.end());
}

// Once Redis is there again: the others may have missed something of ours.
void RedisBus::tellLoss() {
  Topics lost;
  {
    const std::lock_guard lock(mutex_);
    lost.swap(lost_);
  }
  if (lost.empty()) return;
  std::vector<Command> commands{
      {"PUBLISH", channel(kLossTopic), fmt::format("{}{}", process_, fmt::join(lost, " "))}};
  client_.submit(std::move(commands), [this, lost](const std::vector<Reply>& replies) {
    if (replies.empty() || replies.front().isError()) noteLoss(lost);
  });
}

void RedisBus::subscribe(const std::string& topic, Listener listener) {
  local_.subscribe(topic, std::move(listener));
  {
    const std::lock_guard lock(mutex_);
    topics_.insert(topic);
  }
  eventfd_write(wake_, 1);
}

void RedisBus::onGap(Topics topics, std::function<void()> listener) {
  const std::lock_guard lock(mutex_);
  gapListeners_.push_back({std::move(topics), std::move(listener)});
}

void RedisBus::start() {
  thread_ = std::thread([this] { work(); });
}

void RedisBus::work() {
  nameThread("bus");
  ignoreBrokenPipes();
  Duration wait = limits_.shortestPause;
  bool said = false;
  while (!stopping_) {
    try {
      Connection connection(client_.url(), limits_.connect);
      wait = limits_.shortestPause;
      said = false;
      listen(connection);
    } catch (const Away& away) {
      if (!said) {
        log::warn("platform", "other nodes are not heard",
                  log::field("why", std::string_view(away.what())));
      }
      said = true;
    }
    if (!pause(wait)) return;
    wait = std::min(wait * 2, limits_.longestPause);
  }
}

void RedisBus::listen(Connection& connection) {
  subscribed_.clear();
  unconfirmed_ = 0;
  auto heard = steady_clock::now();
  auto asked = heard;
  while (!stopping_) {
    drainWake();
    subscribeNew(connection);
    const auto message = connection.next(kAskEvery, wake_);
    const auto now = steady_clock::now();
    if (message) {
      heard = now;
      take(*message);
    } else if (now - heard > kSilentFor) {
      throw Away("is silent");
    }
    if (now - asked >= kAskEvery) {
      connection.send({"PING"}, limits_.answer);
      asked = now;
    }
  }
}

void RedisBus::subscribeNew(Connection& connection) {
  Command command{"SUBSCRIBE"};
  {
    const std::lock_guard lock(mutex_);
    for (const auto& topic : topics_) {
      if (subscribed_.insert(topic).second) command.push_back(channel(topic));
    }
  }
  if (command.size() == 1) return;
  unconfirmed_ += command.size() - 1;
  connection.send(command, limits_.answer);
}

// A message, the confirmation of a subscription, or an answer to whether Redis is there.
void RedisBus::take(const Reply& message) {
  if (message.isError()) throw Away("refuses: " + message.text);
  if (message.list.size() < 3) return;
  const auto& kind = message.list[0].text;
  if (kind == "subscribe" && unconfirmed_ > 0 && --unconfirmed_ == 0) noteGap(kAnyTopic);
  if (kind != "message") return;
  const auto& text = message.list[2].text;
  if (text.size() < process_.size() || text.starts_with(process_)) return;
  received_.Increment();
  deliver(message.list[1].text, std::string_view(text).substr(process_.size()));
}

void RedisBus::deliver(const std::string& channel, std::string_view message) {
  const auto prefix = this->channel({});
  if (!channel.starts_with(prefix)) return;
  const auto topic = channel.substr(prefix.size());
  if (topic == kLossTopic) {
    noteGap(topicsOf(message));
    return;
  }
  try {
    local_.publish(topic, message);
  } catch (const std::exception& error) {
    log::error("platform", "a message could not be taken in", log::field("topic", topic),
               log::field("error", std::string_view(error.what())));
  }
}

void RedisBus::noteGap(const Topics& topics) {
  gaps_.Increment();
  std::vector<GapListener> listeners;
  {
    const std::lock_guard lock(mutex_);
    listeners = gapListeners_;
  }
  for (const auto& listener : listeners) {
    if (!concerns(topics, listener.topics)) continue;
    try {
      listener.tell();
    } catch (const std::exception& error) {
      log::error("platform", "what was missed cannot be made good",
                 log::field("error", std::string_view(error.what())));
    }
  }
}

void RedisBus::drainWake() const {
  eventfd_t value = 0;
  (void)eventfd_read(wake_, &value);
}

// False when all is over.
bool RedisBus::pause(Duration wait) {
  pollfd waited{wake_, POLLIN, 0};
  const auto until = steady_clock::now() + wait;
  while (!stopping_) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return true;
    if (poll(&waited, 1, static_cast<int>(left)) > 0) drainWake();
  }
  return false;
}

}  // namespace tipflow::redis
