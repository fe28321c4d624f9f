#include "scheduler.h"

#include <fmt/format.h>

#include <algorithm>

namespace tipflow::sim {

void Scheduler::at(Time time, std::function<void()> event) {
  events_.push_back({std::max(time, now_), ++numbers_, std::move(event)});
  std::push_heap(events_.begin(), events_.end(), Later{});
}

bool Scheduler::step() {
  if (events_.empty()) return false;
  std::pop_heap(events_.begin(), events_.end(), Later{});
  const Event event = std::move(events_.back());
  events_.pop_back();
  now_ = event.time;
  ++steps_;
  mix(static_cast<std::uint64_t>(now_.us));
  mix(event.number);
  event.run();
  return true;
}

void Scheduler::keep(std::string line) {
  trace_.push_back(
      fmt::format("{:>12.6f}  {}", static_cast<double>(elapsed().count()) / 1e6, line));
  if (trace_.size() > most_) trace_.pop_front();
}

void Process::kill() {
  if (!std::exchange(alive_, false)) return;
  // A frame that goes may close connections, which looks at the process once more.
  auto roots = std::exchange(roots_, {});
  roots.clear();
  if (onDeath) onDeath();
}

void Process::spawn(Task<> task) {
  if (!alive_) return;
  const auto handle = task.handle();
  roots_.push_back(std::move(task));
  handle.resume();
  reap();
}

void Process::reap() {
  for (std::size_t i = 0; i < roots_.size();) {
    const auto handle = roots_[i].handle();
    if (!handle.done()) {
      ++i;
      continue;
    }
    const auto error = handle.promise().error;
    roots_[i] = std::move(roots_.back());
    roots_.pop_back();
    if (error) std::rethrow_exception(error);
  }
}

Task<> sleep(std::shared_ptr<Process> process, Duration pause) {
  const auto cell = cellOf<bool>(process);
  process->scheduler().after(pause, [cell] { cell->set(true); });
  co_await cell->wait();
}

}  // namespace tipflow::sim
