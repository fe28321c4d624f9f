// SIGTERM and SIGINT, waited for on a thread of their own: what leaving takes (threads, locks,
// logs) is not safe inside a signal handler.
#pragma once

#include <functional>
#include <mutex>
#include <thread>

namespace tipflow::app {

class Termination {
 public:
  /// Holds both signals back in this thread and in those it starts from now on: make it first.
  Termination();
  ~Termination();
  Termination(const Termination&) = delete;
  Termination& operator=(const Termination&) = delete;

  /// `leave` runs once, on the waiting thread, at the first signal. Before it is given a signal
  /// ends the process as usual; so does a second one.
  void onRequest(std::function<void()> leave);
  /// Waits for a `leave` that runs; none runs after it.
  void stop();

 private:
  void wait();

  std::mutex mutex_;
  std::function<void()> leave_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace tipflow::app
