#include "load/crew.h"

#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

namespace tipflow::load {
namespace {

constexpr auto kLook = std::chrono::milliseconds(20);

// What a signal handler may touch.
std::atomic<int> signalsSeen{0};
static_assert(std::atomic<int>::is_always_lock_free);

}  // namespace

void runAll(const Drivers& drivers, const std::vector<Source*>& sources, std::size_t depth,
            std::atomic<bool>& abort, const std::function<void()>& look) {
  std::atomic<std::size_t> running = sources.size();
  std::mutex mutex;
  std::exception_ptr error;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    threads.emplace_back([&, i] {
      try {
        drivers[i]->run(*sources[i], depth, abort);
      } catch (...) {
        const std::scoped_lock lock(mutex);
        error = std::current_exception();
        abort = true;
      }
      --running;
    });
  }
  while (running > 0) {
    std::this_thread::sleep_for(kLook);
    look();
  }
  threads.clear();
  if (error) std::rethrow_exception(error);
}

Interrupts::Interrupts() {
  signalsSeen = 0;
  struct sigaction action{};
  action.sa_handler = [](int) { signalsSeen.fetch_add(1); };
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &oldInterrupt_);
  sigaction(SIGTERM, &action, &oldTerminate_);
}

Interrupts::~Interrupts() {
  sigaction(SIGINT, &oldInterrupt_, nullptr);
  sigaction(SIGTERM, &oldTerminate_, nullptr);
}

int Interrupts::seen() { return signalsSeen.load(); }

}  // namespace tipflow::load
