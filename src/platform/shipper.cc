#include "platform/shipper.h"

#include <algorithm>

#include "platform/log.h"
#include "platform/thread_name.h"

namespace tipflow {

using std::chrono::steady_clock;

namespace {

struct Room {
  std::size_t lines;
  std::size_t bytes;
};

/// As many lines off the front of `lines` as there is room for.
Lines takeFront(Lines& lines, Room room) {
  Lines front;
  std::size_t end = 0;
  for (; front.count < room.lines && end < lines.text.size(); ++front.count) {
    const auto next = lines.text.find('\n', end) + 1;
    if (next > room.bytes) break;
    end = next;
  }
  front.text = lines.text.substr(0, end);
  lines.text.erase(0, end);
  lines.count -= front.count;
  return front;
}

}  // namespace

Shipper::Shipper(RecordSink& sink, ShipperLimits limits, Metrics& metrics, const std::string& name)
    : sink_(sink),
      limits_(limits),
      name_(name),
      kept_(metrics.counter("tipflow_records_kept_total",
                            "Log lines and spans that reached where they are kept.",
                            {{"sink", name}})),
      dropped_(metrics.counter("tipflow_records_dropped_total",
                               "Log lines and spans dropped because too many waited.",
                               {{"sink", name}})),
      waiting_(metrics.gauge("tipflow_records_waiting_bytes",
                             "Log lines and spans on their way to where they are kept.",
                             {{"sink", name}})),
      thread_([this] { run(); }) {}

Shipper::~Shipper() { stop(Duration{0}); }

void Shipper::offer(Lines lines) {
  std::size_t refused = 0;
  bool begins = false;
  {
    const std::lock_guard lock(mutex_);
    const auto room = stopping_ ? 0 : limits_.waitingBytes - std::min(bytes_, limits_.waitingBytes);
    if (lines.text.size() > room) {
      const auto offered = lines.count;
      lines = takeFront(lines, {offered, room});
      refused = offered - lines.count;
      begins = !std::exchange(dropping_, true);
    }
    bytes_ += lines.text.size();
    if (lines.count > 0) waitingLines_.push_back(std::move(lines));
    waiting_.Set(static_cast<double>(bytes_));
  }
  wake_.notify_one();
  if (refused == 0) return;
  droppedLines_ += static_cast<std::int64_t>(refused);
  dropped_.Increment(static_cast<double>(refused));
  if (begins) {
    log::warn("platform", "too many log lines wait to be kept: dropping what comes",
              log::field("sink", name_));
  }
}

void Shipper::stop(Duration limit) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) stopBy_ = steady_clock::now() + limit;
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Lines Shipper::next() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !waitingLines_.empty(); });
  if (!stopping_) {
    wake_.wait_for(lock, limits_.gather,
                   [this] { return stopping_ || bytes_ >= limits_.batchBytes; });
  }
  Lines batch;
  while (!waitingLines_.empty()) {
    auto& front = waitingLines_.front();
    const Room room{limits_.batchLines - batch.count,
                    limits_.batchBytes - std::min(batch.text.size(), limits_.batchBytes)};
    if (front.count > room.lines || front.text.size() > room.bytes) {
      auto part = takeFront(front, room);
      if (part.count == 0 && batch.count == 0) part = takeFront(front, {1, front.text.size()});
      batch.add(part);
      return batch;
    }
    if (batch.count == 0) {
      batch = std::move(front);
    } else {
      batch.add(front);
    }
    waitingLines_.pop_front();
  }
  return batch;
}

// Their bytes count as waiting until they are kept: a sink that is away must not hide them.
void Shipper::settle(const Lines& batch) {
  const std::lock_guard lock(mutex_);
  bytes_ -= batch.text.size();
  dropping_ = dropping_ && bytes_ > limits_.waitingBytes / 2;
  waiting_.Set(static_cast<double>(bytes_));
}

bool Shipper::pause(Duration time) {
  std::unique_lock lock(mutex_);
  const auto until = steady_clock::now() + time;
  if (!stopping_) {
    wake_.wait_until(lock, until, [this] { return stopping_; });
    return true;
  }
  wake_.wait_until(lock, std::min(until, stopBy_));
  return steady_clock::now() < stopBy_;
}

void Shipper::run() {
  nameThread("ship");
  for (;;) {
    const auto batch = next();
    if (batch.count == 0) return;
    Duration wait = limits_.firstPause;
    for (bool away = false;;) {
      try {
        sink_.keep(batch.text);
        kept_.Increment(static_cast<double>(batch.count));
        if (away) log::info("platform", "log lines are kept again", log::field("sink", name_));
        break;
      } catch (const std::exception& error) {
        if (!std::exchange(away, true)) {
          log::warn("platform", "log lines cannot be kept, they wait", log::field("sink", name_),
                    log::field("error", std::string_view(error.what())));
        }
      }
      if (!pause(wait)) {
        droppedLines_ += static_cast<std::int64_t>(batch.count);
        dropped_.Increment(static_cast<double>(batch.count));
        break;
      }
      wait = std::min(wait * 2, limits_.longestPause);
    }
    settle(batch);
  }
}

}  // namespace tipflow
