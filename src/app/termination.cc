#include "app/termination.h"

#include <pthread.h>

#include <csignal>
#include <utility>

namespace tipflow::app {
namespace {

sigset_t terminating() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

Termination::Termination() {
  const auto set = terminating();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this] { wait(); });
}

Termination::~Termination() { stop(); }

void Termination::stop() {
  {
    const std::lock_guard guard(mutex_);
    // Only a thread that still waits is woken; one that is leaving would die of it.
    if (!std::exchange(over_, true)) pthread_kill(thread_.native_handle(), SIGTERM);
  }
  if (thread_.joinable()) thread_.join();
}

void Termination::onRequest(std::function<void()> leave) {
  const std::lock_guard guard(mutex_);
  leave_ = std::move(leave);
}

void Termination::wait() {
  const auto set = terminating();
  int signal = 0;
  while (sigwait(&set, &signal) != 0) {
  }
  std::function<void()> leave;
  {
    const std::lock_guard guard(mutex_);
    if (over_) return;
    over_ = true;
    leave = leave_;
  }
  if (!leave) {
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    raise(signal);
    return;
  }
  // The next one ends the process: someone is tired of waiting.
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  leave();
}

}  // namespace tipflow::app
