#include "platform/shipper.h"

#include <algorithm>

#include "platform/log.h"
#include "platform/thread_name.h"

namespace tipflow {

using std::chrono::steady_clock;

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

void Shipper::offer(std::vector<std::string> lines) {
  std::size_t refused = 0;
  bool begins = false;
  {
    const std::lock_guard lock(mutex_);
    for (auto& line : lines) {
      if (stopping_ || bytes_ + line.size() > limits_.waitingBytes) {
        ++refused;
        continue;
      }
      bytes_ += line.size();
      lines_.push_back(std::move(line));
    }
    if (refused > 0) begins = !std::exchange(dropping_, true);
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

std::vector<std::string> Shipper::next() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !lines_.empty(); });
  if (!stopping_) {
    wake_.wait_for(lock, limits_.gather,
                   [this] { return stopping_ || bytes_ >= limits_.batchBytes; });
  }
  std::vector<std::string> batch;
  std::size_t size = 0;
  while (!lines_.empty() && batch.size() < limits_.batchLines && size < limits_.batchBytes) {
    size += lines_.front().size();
    batch.push_back(std::move(lines_.front()));
    lines_.pop_front();
  }
  return batch;
}

// Their bytes count as waiting until they are kept: a sink that is away must not hide them.
void Shipper::settle(const std::vector<std::string>& batch) {
  std::size_t size = 0;
  for (const auto& line : batch) size += line.size();
  const std::lock_guard lock(mutex_);
  bytes_ -= size;
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
    if (batch.empty()) return;
    Duration wait = limits_.firstPause;
    for (bool away = false;;) {
      try {
        sink_.keep(batch);
        kept_.Increment(static_cast<double>(batch.size()));
        if (away) log::info("platform", "log lines are kept again", log::field("sink", name_));
        break;
      } catch (const std::exception& error) {
        if (!std::exchange(away, true)) {
          log::warn("platform", "log lines cannot be kept, they wait", log::field("sink", name_),
                    log::field("error", std::string_view(error.what())));
        }
      }
      if (!pause(wait)) {
        droppedLines_ += static_cast<std::int64_t>(batch.size());
        dropped_.Increment(static_cast<double>(batch.size()));
        break;
      }
      wait = std::min(wait * 2, limits_.longestPause);
    }
    settle(batch);
  }
}

}  // namespace tipflow
