#include "load/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "load/driver.h"
#include "load/preparation.h"
#include "load/report.h"
#include "load/tip_stream.h"
#include "load/verification.h"
#include "platform/security/crypto.h"

namespace tipflow::load {
namespace {

constexpr auto kLook = std::chrono::milliseconds(50);
constexpr std::size_t kBulkDepth = 8;
// A run with an end keeps all it was told; one without an end the newest, about 25 MB of them.
constexpr std::size_t kEndlessRecord = 1'000'000;

// What a signal handler may touch. Counts SIGINT and SIGTERM while a run goes on.
std::atomic<int> signalsSeen{0};
static_assert(std::atomic<int>::is_always_lock_free);

class Interrupts {
 public:
  Interrupts() {
    signalsSeen = 0;
    struct sigaction action{};
    action.sa_handler = [](int) { signalsSeen.fetch_add(1); };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &oldInterrupt_);
    sigaction(SIGTERM, &action, &oldTerminate_);
  }
  ~Interrupts() {
    sigaction(SIGINT, &oldInterrupt_, nullptr);
    sigaction(SIGTERM, &oldTerminate_, nullptr);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  [[nodiscard]] static int seen() { return signalsSeen.load(); }

 private:
  struct sigaction oldInterrupt_{};
  struct sigaction oldTerminate_{};
};

using Drivers = std::vector<std::unique_ptr<Driver>>;

/// Runs source i on driver i, a thread each; calls `look` meanwhile, which may set `abort`.
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

std::string faultOf(const LoadOptions& options) {
  const auto fraction = [](double value) { return value >= 0 && value <= 1; };
  if (!parseUrl(options.url)) {
    return fmt::format("{} is not an address: write http://host:port", options.url);
  }
  if (!(options.rate >= 0 && options.rate <= 10'000'000)) return "rate must be 0 to 10,000,000";
  if (!(options.seconds >= 0) || !(options.warmupSeconds >= 0)) return "times must not be negative";
  if (options.connections < 1 || options.connections > 100'000) {
    return "connections must be 1 to 100,000";
  }
  if (options.threads < 1 || options.threads > options.connections) {
    return "threads must be 1 to the number of connections";
  }
  if (options.rooms < 1 || options.rooms > 100'000) return "rooms must be 1 to 100,000";
  if (options.viewers < options.threads || options.viewers > 1'000'000) {
    return "viewers must be 1 (one for each thread) to 1,000,000";
  }
  if (!fraction(options.guestFraction)) return "the fraction of guests must be 0 to 1";
  if (!fraction(options.duplicates)) return "the fraction of duplicates must be 0 to 1";
  if (options.registeredMost < 0) return "the number of registered viewers must not be negative";
  if (options.password.size() < 8 || options.password.size() > 128) {
    return "the password must have 8 to 128 bytes";
  }
  if (!allowConnections(static_cast<std::size_t>(options.connections))) {
    return "so many connections need more open files: ulimit -n";
  }
  return {};
}

// One run, phase by phase.
class Run {
 public:
  Run(const LoadOptions& options, std::ostream& out)
      : options_(options), out_(out), url_(*parseUrl(options.url)), progress_(out, options.quiet) {
    const auto address = resolve(url_);
    for (int i = 0; i < options_.threads; ++i) {
      drivers_.push_back(std::make_unique<Driver>(address, share(options_.connections, i)));
    }
  }

  int run() {
    auto population = prepare();
    if (!population) return kLoadNotStarted;
    stream(std::move(*population));
    if (options_.verify) verify();
    progress_.finish();
    out_ << report(options_, summary_) << std::flush;
    return exitCode(summary_);
  }

 private:
  // The i-th thread's part of `count` things.
  [[nodiscard]] std::size_t share(int count, int thread) const {
    return static_cast<std::size_t>(count / options_.threads +
                                    (thread < count % options_.threads ? 1 : 0));
  }

  std::optional<Population> prepare() {
    const int registered =
        std::min(options_.registeredMost,
                 options_.viewers -
                     static_cast<int>(std::lround(options_.viewers * options_.guestFraction)));
    Preparation preparation(
        {url_, options_.rooms, registered, options_.viewers - registered, options_.password},
        monotonicNow());
    runAll(drivers_, {&preparation}, 1, abort_, [&] {
      if (Interrupts::seen() > 0) abort_ = true;
      const auto now = monotonicNow();
      if (progress_.due(now)) {
        progress_.show(preparation.heard()
                           ? fmt::format("preparing anchors, rooms, viewers: {} of {}",
                                         preparation.finished(), preparation.total())
                           : fmt::format("waiting for {} to answer", url_.authority()),
                       now);
      }
    });
    progress_.finish();
    if (!abort_ && preparation.failure().empty()) {
      if (preparation.bannedRooms() != 0) {
        out_ << fmt::format("{} rooms are banned and get no tips\n", preparation.bannedRooms());
      }
      return preparation.takePopulation();
    }
    out_ << "load could not start: " << (abort_ ? "interrupted" : preparation.failure())
         << std::endl;
    return std::nullopt;
  }

  void stream(Population population) {
    makeStreams(std::move(population));
    std::vector<Source*> sources(streams_.size());
    std::transform(streams_.begin(), streams_.end(), sources.begin(),
                   [](const auto& one) { return one.get(); });
    recentSinceUs_ = startUs_;
    runAll(drivers_, sources, 1, abort_, [&] { look(); });
    collect();
    total_.add(recent_);
    for (const auto& one : streams_) summary_.open += one->open();
    const auto endUs = stoppedUs_ ? std::min(*stoppedUs_, scheduleEndUs()) : scheduleEndUs();
    summary_.measuredUs = endUs - measureFromUs();
    summary_.tally = total_;
  }

  void makeStreams(Population population) {
    startUs_ = monotonicNow();
    for (int i = 0; i < options_.threads; ++i) {
      Population part{population.rooms, {}};
      for (auto at = static_cast<std::size_t>(i); at < population.viewers.size();
           at += static_cast<std::size_t>(options_.threads)) {
        part.viewers.push_back(std::move(population.viewers[at]));
      }
      const Pace pace{.perSecond = options_.rate / options_.threads,
                      .startUs = startUs_,
                      .endUs = scheduleEndUs(),
                      .phase = static_cast<double>(i) / options_.threads};
      const auto recordMost = !options_.verify ? 0
                              : endless()      ? kEndlessRecord / drivers_.size()
                                               : std::numeric_limits<std::size_t>::max();
      streams_.push_back(
          std::make_unique<TipStream>(TipPlan{.url = url_,
                                              .pace = pace,
                                              .measureFromUs = measureFromUs(),
                                              .duplicates = options_.duplicates,
                                              .sign = options_.sign,
                                              .seed = options_.seed + static_cast<std::uint64_t>(i),
                                              .password = options_.password,
                                              .recordMost = recordMost},
                                      std::move(part), clock_, ids_));
    }
  }

  void look() {
    const auto now = monotonicNow();
    if (!stoppedUs_ && Interrupts::seen() > 0) {
      stoppedUs_ = now;
      for (const auto& one : streams_) one->stop();
      progress_.finish();
      out_ << "stopping: open tips are still found out; once more leaves at once" << std::endl;
    }
    if (Interrupts::seen() > 1) abort_ = true;
    if (!progress_.due(now)) return;
    collect();
    total_.add(recent_);
    Moment moment{.elapsedUs = now - startUs_, .recentUs = now - recentSinceUs_};
    for (const auto& one : streams_) {
      moment.open += one->open();
      moment.waiting += one->waiting();
    }
    progress_.show(progressLine(moment, total_, recent_), now);
    recent_ = {};
    recentSinceUs_ = now;
  }

  void collect() {
    for (const auto& one : streams_) {
      part_ = {};
      one->take(part_);
      recent_.add(part_);
    }
  }

  void verify() {
    const auto now = monotonicNow();
    std::vector<std::unique_ptr<Verification>> parts;
    std::vector<Source*> sources;
    std::size_t total = 0;
    for (const auto& one : streams_) {
      parts.push_back(std::make_unique<Verification>(one->record(), one->viewers(), now));
      sources.push_back(parts.back().get());
      total += parts.back()->total();
    }
    progress_.finish();
    const int seenBefore = Interrupts::seen();
    if (!abort_) {
      runAll(drivers_, sources, kBulkDepth, abort_, [&] {
        if (Interrupts::seen() > seenBefore) abort_ = true;
        const auto at = monotonicNow();
        if (!progress_.due(at)) return;
        std::size_t finished = 0;
        for (const auto& part : parts) finished += part->finished();
        progress_.show(fmt::format("looking up acknowledged tips: {} of {}", finished, total), at);
      });
    }
    summary_.findings.emplace();
    for (const auto& part : parts) summary_.findings->add(part->findings());
  }

  [[nodiscard]] MonotonicUs measureFromUs() const { return startUs_ + us(options_.warmupSeconds); }
  [[nodiscard]] MonotonicUs scheduleEndUs() const {
    return endless() ? kNever : measureFromUs() + us(options_.seconds);
  }
  [[nodiscard]] bool endless() const { return options_.seconds == 0; }
  static MonotonicUs us(double seconds) { return static_cast<MonotonicUs>(seconds * 1e6); }

  const LoadOptions& options_;
  std::ostream& out_;
  Url url_;
  Progress progress_;
  Interrupts interrupts_;
  SystemClock clock_;
  crypto::SystemRandom ids_;
  Drivers drivers_;
  std::vector<std::unique_ptr<TipStream>> streams_;
  std::atomic<bool> abort_ = false;
  std::optional<MonotonicUs> stoppedUs_;
  MonotonicUs startUs_ = 0;
  MonotonicUs recentSinceUs_ = 0;
  Tally total_;
  Tally recent_;
  Tally part_;
  RunSummary summary_;
};

}  // namespace

int runLoad(const LoadOptions& options, std::ostream& out) {
  crypto::initialise();
  if (const auto fault = faultOf(options); !fault.empty()) {
    out << "load could not start: " << fault << std::endl;
    return kLoadNotStarted;
  }
  try {
    return Run(options, out).run();
  } catch (const std::exception& error) {
    out << "load stopped: " << error.what() << std::endl;
    return kLoadNotStarted;
  }
}

}  // namespace tipflow::load
