#include "load/watch/watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <fstream>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <thread>

#include "load/crew.h"
#include "load/load.h"
#include "load/preparation.h"
#include "load/report.h"
#include "load/watch/options.h"
#include "load/watch/summary.h"
#include "load/watch/tips.h"
#include "load/watch/viewers.h"
#include "platform/security/crypto.h"

namespace tipflow::load::watch {
namespace {

constexpr int kTipConnections = 64;
constexpr auto kLook = std::chrono::milliseconds(50);
constexpr double kQuietSeconds = 2;

MonotonicUs usOf(double seconds) { return static_cast<MonotonicUs>(seconds * 1e6); }
double secondsSince(MonotonicUs since) { return static_cast<double>(monotonicNow() - since) / 1e6; }

/// As it stands in the sender's headers, to be sent to other nodes as well.
std::string tokenOf(const Sender& sender) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto at = sender.headers.find(kBearer) + kBearer.size();
  return sender.headers.substr(at, sender.headers.find("\r\n", at) - at);
}

// A process of viewers, and the pipe on which it tells what it found.
struct Child {
  pid_t process = 0;
  int pipe = -1;
};

// One run, phase by phase.
class Run {
 public:
  Run(const WatchOptions& options, std::ostream& out)
      : options_(options), out_(out), progress_(out, options.quiet, monotonicNow()) {
    for (const auto& text : options_.urls) {
      const auto url = *parseUrl(text);
      targets_.push_back({resolve(url), url});
    }
    api_ = options_.apiUrl.empty() ? targets_.front().url : *parseUrl(options_.apiUrl);
    if (!options_.jsonFile.empty()) {
      json_.open(options_.jsonFile, std::ios::trunc);
      if (!json_) throw std::runtime_error(options_.jsonFile + " cannot be written");
    }
  }
  ~Run() {
    for (const auto& child : children_) {
      if (child.process == 0) continue;
      kill(child.process, SIGKILL);
      waitpid(child.process, nullptr, 0);
    }
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  int run() {
    if (!prepare()) return kLoadNotStarted;
    summary_.startedAt = clock_.now();
    summary_.serversBefore = usageOf(options_.servers);
    startChildren();
    open();
    tip();
    summary_.serversAfter = usageOf(options_.servers);
    collect();
    progress_.finish();
    out_ << report(options_, summary_) << std::flush;
    if (json_.is_open() && !(json_ << reportJson(options_, summary_) << std::flush)) {
      throw std::runtime_error(options_.jsonFile + " could not be written");
    }
    return exitCode(options_, summary_);
  }

 private:
  bool prepare() {
    Preparation preparation({.url = api_,
                             .rooms = options_.rooms,
                             .registered = 0,
                             .guests = std::min(options_.people, options_.viewers),
                             .password = options_.password},
                            monotonicNow());
    Drivers drivers;
    drivers.push_back(std::make_unique<Driver>(resolve(api_), kTipConnections));
    runAll(drivers, {&preparation}, 1, abort_, [&] {
      if (Interrupts::seen() > 0) abort_ = true;
      show(fmt::format("preparing rooms and people: {} of {}", preparation.finished(),
                       preparation.total()));
    });
    progress_.finish();
    if (abort_ || !preparation.failure().empty()) {
      out_ << "load could not start: " << (abort_ ? "interrupted" : preparation.failure())
           << std::endl;
      return false;
    }
    population_ = preparation.takePopulation();
    for (const auto& room : population_.rooms) roomIds_.push_back(room.id);
    return true;
  }

  // From here on to the end of startChildren there is one thread: processes may part.
  void startChildren() {
    const auto viewers = static_cast<std::size_t>(options_.viewers);
    const auto most = options_.perProcess > 0
                          ? static_cast<std::size_t>(options_.perProcess)
                          : std::max<std::size_t>(1, filesMost() - kFilesBeside);
    const auto count = (viewers + most - 1) / most;
    const auto tipsIn = [](double rate, double seconds) {
      return static_cast<std::size_t>(std::ceil(rate * seconds)) + 1;
    };
    shared_.emplace(
        tipsIn(options_.rate, options_.seconds) + tipsIn(options_.burstRate, options_.burstSeconds),
        count);
    summary_.processes = count;
    const auto rooms = roomsOfViewers(viewers);
    openStartUs_ = monotonicNow();
    for (std::size_t i = 0; i < count; ++i) {
      const auto from = viewers * i / count;
      const auto to = viewers * (i + 1) / count;
      ViewersPlan plan{.process = i,
                       .first = from,
                       .rooms = {rooms.begin() + static_cast<std::ptrdiff_t>(from),
                                 rooms.begin() + static_cast<std::ptrdiff_t>(to)},
                       .openPerSecond = options_.openPerSecond / static_cast<double>(count),
                       .openUntilUs = openStartUs_ + usOf(options_.openSeconds),
                       .perAddress = options_.perAddress,
                       .returnsPerSecond = options_.returnsPerSecond / static_cast<double>(count),
                       .awayUs = usOf(options_.awaySeconds),
                       .seed = options_.seed + i};
      children_.push_back(start(std::move(plan)));
    }
  }

  [[nodiscard]] std::vector<std::uint32_t> roomsOfViewers(std::size_t viewers) const {
    const Zipf zipf(roomIds_.size(), options_.zipf);
    SeededRandom random(options_.seed);
    std::vector<std::uint32_t> rooms(viewers);
    for (auto& room : rooms) room = static_cast<std::uint32_t>(zipf.place(random.bits()));
    return rooms;
  }

  Child start(ViewersPlan plan) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("there is no pipe to be had");
    out_.flush();
    const auto parent = getpid();
    const auto process = fork();
    if (process < 0) throw std::runtime_error("no process can be started");
    if (process > 0) {
      ::close(ends[1]);
      return {process, ends[0]};
    }
    // The child goes when the first process does, whatever ends that.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    // Linux shares its processors among sessions first: in one, all viewers together would have as
    // much as a single node.
    setsid();
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGTERM, SIG_IGN);
    ::close(ends[0]);
    watchAsChild(std::move(plan), ends[1]);
  }

  [[noreturn]] void watchAsChild(ViewersPlan plan, int pipe) {
    int code = 0;
    try {
      allowConnections(plan.rooms.size());
      std::vector<std::string> tokens;
      for (const auto& one : population_.viewers) tokens.push_back(tokenOf(one));
      const auto found =
          encode(Viewers(std::move(plan), roomIds_, tokens, targets_, *shared_).run());
      std::size_t sent = 0;
      while (sent < found.size()) {
        const auto count = ::write(pipe, found.data() + sent, found.size() - sent);
        if (count <= 0) break;
        sent += static_cast<std::size_t>(count);
      }
    } catch (const std::exception& error) {
      std::fprintf(stderr, "a process of viewers ended: %s\n", error.what());
      code = 1;
    }
    _exit(code);
  }

  void open() {
    const auto wanted = static_cast<std::uint64_t>(options_.viewers);
    auto openNow = [&] { return shared_->total(&Progressed::open); };
    while (openNow() < wanted && secondsSince(openStartUs_) < options_.openSeconds &&
           Interrupts::seen() == 0) {
      pause();
      show(fmt::format("viewers in their rooms: {} of {}", openNow(), wanted));
    }
    summary_.openSeconds = secondsSince(openStartUs_);
    // The last ones' first frames, and what the others hear of them.
    if (Interrupts::seen() == 0) std::this_thread::sleep_for(std::chrono::seconds(1));
    summary_.open = openNow();
    summary_.serversOpen = usageOf(options_.servers);
  }

  void tip() {
    shared_->phase() = Phase::tipping;
    // Nobody tips before every process has noted who is there.
    while (shared_->total(&Progressed::noted) < children_.size() && Interrupts::seen() == 0) {
      pause();
    }
    give(options_.rate, options_.seconds, true, summary_.timed);
    if (options_.burstRate > 0 && Interrupts::seen() == 0) {
      give(options_.burstRate, options_.burstSeconds, false, summary_.burst);
    }
  }

  /// Tips at a rate, until all of them were seen.
  void give(double rate, double seconds, bool timed, Traffic& traffic) {
    traffic_ = &traffic;
    const auto deliveriesBefore = shared_->total(&Progressed::deliveries);
    const auto framesBefore = shared_->total(&Progressed::frames);
    const auto bytesBefore = shared_->total(&Progressed::bytes);
    const auto start = monotonicNow();
    lastDeliveryUs_ = start;
    secondUs_ = 0;
    const TipsPlan plan{.perSecond = rate,
                        .startUs = start,
                        .endUs = start + usOf(seconds),
                        .roomExponent = options_.zipf,
                        .seed = options_.seed,
                        .sign = options_.sign,
                        .first = static_cast<std::uint32_t>(summary_.tipsSent),
                        .timed = timed,
                        .resolveMostUs = usOf(options_.settleSeconds)};
    Tips tips(plan, population_.rooms, population_.viewers, *shared_, clock_, ids_);
    Drivers drivers;
    drivers.push_back(std::make_unique<Driver>(resolve(api_), kTipConnections));
    runAll(drivers, {&tips}, 1, abort_, [&] {
      if (Interrupts::seen() > 0) tips.stop();
      if (Interrupts::seen() > 1) abort_ = true;
      look();
    });
    settle();
    summary_.tipsSent += tips.sent();
    for (const auto& [why, count] : tips.refusals()) summary_.tipRefusals[why] += count;
    traffic.seconds = static_cast<double>(lastDeliveryUs_ - start) / 1e6;
    traffic.deliveries = delivered_ - deliveriesBefore;
    traffic.frames = shared_->total(&Progressed::frames) - framesBefore;
    traffic.bytes = shared_->total(&Progressed::bytes) - bytesBefore;
  }

  // Until nothing has come for a while.
  void settle() {
    const auto since = monotonicNow();
    shared_->phase() = Phase::counting;
    while (secondsSince(since) < options_.settleSeconds && Interrupts::seen() < 2) {
      pause();
      look();
      const bool backHome = options_.returnsPerSecond <= 0 ||
                            secondsSince(since) > options_.awaySeconds + kQuietSeconds;
      if (backHome && secondsSince(lastDeliveryUs_) > kQuietSeconds &&
          secondsSince(since) > kQuietSeconds) {
        break;
      }
    }
  }

  void look() {
    const auto delivered = shared_->total(&Progressed::deliveries);
    const auto now = monotonicNow();
    if (delivered > delivered_) lastDeliveryUs_ = now;
    delivered_ = delivered;
    if (now - secondUs_ >= 1'000'000) {
      const auto span = static_cast<double>(now - secondUs_) / 1e6;
      if (secondUs_ != 0) {
        traffic_->mostDeliveriesInASecond =
            std::max(traffic_->mostDeliveriesInASecond,
                     static_cast<std::uint64_t>(static_cast<double>(delivered - inSecond_) / span));
      }
      secondUs_ = now;
      inSecond_ = delivered;
    }
    show(fmt::format("tips seen: {}; viewers in their rooms: {}", delivered,
                     shared_->total(&Progressed::open)));
  }

  void collect() {
    shared_->phase() = Phase::leaving;
    for (auto& child : children_) {
      std::string bytes;
      std::array<char, 65'536> buffer{};
      for (ssize_t count = 0; (count = ::read(child.pipe, buffer.data(), buffer.size())) > 0;) {
        bytes.append(buffer.data(), static_cast<std::size_t>(count));
      }
      ::close(child.pipe);
      waitpid(child.process, nullptr, 0);
      child.process = 0;
      summary_.findings.add(decodeFindings(bytes));
    }
    for (const auto& [value, times] : summary_.findings.latencies) {
      summary_.seen.record(value, times);
    }
    for (std::size_t i = 0; i < summary_.tipsSent; ++i) countTip(shared_->tip(i));
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
      rusage used{};
      getrusage(who, &used);
      for (const auto& time : {used.ru_utime, used.ru_stime}) {
        summary_.ownCpuSeconds +=
            static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
      }
    }
  }

  void countTip(const SharedTip& tip) {
    switch (tip.state.load()) {
      case TipState::unsent:
        break;
      case TipState::sent:
        ++summary_.tipsInDoubt;
        break;
      case TipState::refused:
        ++summary_.tipsRefused;
        break;
      case TipState::acknowledged:
        ++summary_.tipsAcknowledged;
        if (const auto last = tip.lastSeenUs.load(); last > 0) {
          summary_.seenByAll.record(std::chrono::microseconds(last - tip.sentUs));
        }
        break;
    }
  }

  // Throws when a process of viewers is no more: nothing it would have found can be known.
  void pause() {
    std::this_thread::sleep_for(kLook);
    for (auto& child : children_) {
      if (waitpid(child.process, nullptr, WNOHANG) == 0) continue;
      child.process = 0;
      throw std::runtime_error("a process of viewers has ended");
    }
  }

  void show(const std::string& line) {
    const auto now = monotonicNow();
    if (progress_.due(now)) progress_.show(line, now);
  }

  const WatchOptions& options_;
  std::ostream& out_;
  Progress progress_;
  Interrupts interrupts_;
  SystemClock clock_;
  crypto::SystemRandom ids_;
  std::vector<Target> targets_;
  Url api_;
  std::ofstream json_;
  Population population_;
  std::vector<std::int64_t> roomIds_;
  std::optional<Shared> shared_;
  std::vector<Child> children_;
  std::atomic<bool> abort_ = false;
  MonotonicUs openStartUs_ = 0;
  MonotonicUs lastDeliveryUs_ = 0;
  MonotonicUs secondUs_ = 0;
  std::uint64_t inSecond_ = 0;
  std::uint64_t delivered_ = 0;
  WatchSummary summary_;
  Traffic* traffic_ = &summary_.timed;
};

}  // namespace

int runWatch(const WatchOptions& options, std::ostream& out) {
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

}  // namespace tipflow::load::watch
