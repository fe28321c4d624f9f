// Virtual time: a queue of events, processes that are coroutines, and the cells they wait on.
// Everything is ordered by (time, number of the event), so one seed is one run.
#pragma once

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/time.h"

namespace tipflow::sim {

/// SplitMix64: cheap to seed, so that every part has a stream of its own.
class Stream final : public Random {
 public:
  explicit Stream(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() override {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  /// Uniform in [least, most].
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least + 1)));
  }
  bool chance(int permille) { return below(1'000) < static_cast<std::uint64_t>(permille); }

 private:
  std::uint64_t state_;
};

class Scheduler {
 public:
  [[nodiscard]] Time now() const { return now_; }
  void startAt(Time time) { start_ = now_ = time; }
  /// Since the start.
  [[nodiscard]] Duration elapsed() const { return now_ - start_; }
  void at(Time time, std::function<void()> event);
  void after(Duration pause, std::function<void()> event) { at(now_ + pause, std::move(event)); }
  /// Runs the next event; false when there is none.
  bool step();
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  /// Part of what makes two runs the same: mixed into the hash, and kept as text when tracing.
  template <class Text>
  void note(std::uint64_t a, std::uint64_t b, Text&& text) {
    mix(a);
    mix(b);
    if (tracing_) keep(text());
  }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  void traceFrom(std::size_t lines) { tracing_ = true, most_ = lines; }
  [[nodiscard]] const std::deque<std::string>& trace() const { return trace_; }

 private:
  struct Event {
    Time time;
    std::uint64_t number;
    std::function<void()> run;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.time != b.time ? a.time > b.time : a.number > b.number;
    }
  };
  void mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001B3ULL; }
  void keep(std::string line);

  Time start_{};
  Time now_{};
  std::uint64_t numbers_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
  bool tracing_ = false;
  std::size_t most_ = 0;
  std::vector<Event> events_;  // a heap
  std::deque<std::string> trace_;
};

/// A coroutine. Started by being awaited, or by Process::spawn.
template <class T = void>
class Task;

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> continuation;
  std::exception_ptr error;

  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> handle) const noexcept {
      auto next = handle.promise().continuation;
      return next ? next : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() { error = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
  T take() {
    if (error) std::rethrow_exception(error);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
  void take() const {
    if (error) std::rethrow_exception(error);
  }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
    handle_.promise().continuation = waiter;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

  [[nodiscard]] Handle handle() const { return handle_; }

 private:
  Handle handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> detail::Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

/// One life of one program: killed, its coroutines vanish in the middle of what they do.
class Process {
 public:
  Process(Scheduler& scheduler, std::string name) : scheduler_(scheduler), name_(std::move(name)) {}
  ~Process() { kill(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool alive() const { return alive_; }
  [[nodiscard]] Scheduler& scheduler() const { return scheduler_; }
  /// Must not be called by one of its own coroutines.
  void kill();
  /// Runs the task up to its first wait.
  void spawn(Task<> task);
  /// Rethrows what a task died of.
  void reap();

  void freezeUntil(Time time) { frozenUntil_ = std::max(frozenUntil_, time); }
  [[nodiscard]] Time frozenUntil() const { return frozenUntil_; }

  /// The process dies at the n-th point from now that it passes; 0: not.
  int crashAfterPoints = 0;
  /// Told after its coroutines are gone.
  std::function<void()> onDeath;

 private:
  Scheduler& scheduler_;
  std::string name_;
  bool alive_ = true;
  Time frozenUntil_{};
  std::vector<Task<>> roots_;
};

/// A value that one coroutine of a process waits for; the first that is set counts.
template <class T>
class Cell : public std::enable_shared_from_this<Cell<T>> {
 public:
  explicit Cell(std::shared_ptr<Process> owner) : owner_(std::move(owner)) {}
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  void set(T value) {
    if (value_) return;
    value_ = std::move(value);
    if (waiter_) wakeAt(owner_->scheduler().now());
  }
  [[nodiscard]] bool isSet() const { return value_.has_value(); }

  /// co_await cell->wait(): by a value without a destructor (docs/decisions/0003).
  struct Wait {
    Cell* cell;
    bool await_ready() const noexcept { return cell->value_.has_value(); }
    void await_suspend(std::coroutine_handle<> waiter) const noexcept { cell->waiter_ = waiter; }
    T await_resume() const { return std::move(*cell->value_); }
  };
  Wait wait() { return {this}; }

 private:
  void wakeAt(Time time) {
    owner_->scheduler().at(time, [self = this->shared_from_this()] { self->wake(); });
  }
  void wake() {
    // The waiter lives as long as its process: nothing else ends it while it waits.
    if (!owner_->alive()) return;
    if (owner_->frozenUntil() > owner_->scheduler().now()) return wakeAt(owner_->frozenUntil());
    const auto waiter = std::exchange(waiter_, nullptr);
    if (!waiter) return;
    const auto keep = owner_;
    waiter.resume();
    keep->reap();
  }

  std::shared_ptr<Process> owner_;
  std::optional<T> value_;
  std::coroutine_handle<> waiter_;
};

template <class T>
std::shared_ptr<Cell<T>> cellOf(const std::shared_ptr<Process>& owner) {
  return std::make_shared<Cell<T>>(owner);
}

Task<> sleep(std::shared_ptr<Process> process, Duration pause);

}  // namespace tipflow::sim
