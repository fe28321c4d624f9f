#include "load/load.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "load/crew.h"
#include "load/journal.h"
#include "load/options.h"
#include "load/preparation.h"
#include "load/report.h"
#include "load/report_html.h"
#include "load/report_json.h"
#include "load/series.h"
#include "load/sum_check.h"
#include "load/tip_stream.h"
#include "load/verification.h"
#include "platform/security/crypto.h"

namespace tipflow::load {
namespace {

constexpr std::size_t kBulkDepth = 8;
// A run with an end keeps all it was told; one without an end the newest, about 25 MB of them.
constexpr std::size_t kEndlessRecord = 1'000'000;
constexpr std::size_t kAllMost = 200'000;
// A loss of one tip in 4,000 shows in a sample of this size but for one run in 150.
constexpr std::size_t kSample = 20'000;
constexpr auto kEverything = std::numeric_limits<std::size_t>::max();

MonotonicUs usOf(double seconds) { return static_cast<MonotonicUs>(seconds * 1e6); }

// A file of the user's, opened before the run so that its place is known to be good.
class ReportFile {
 public:
  explicit ReportFile(const std::string& path) : path_(path) {
    if (path.empty()) return;
    file_.open(path, std::ios::binary | std::ios::trunc);
    if (!file_) throw std::runtime_error(path + " cannot be written");
  }
  void write(const std::string& text) {
    if (path_.empty()) return;
    file_ << text << std::flush;
    if (!file_) throw std::runtime_error(path_ + " could not be written");
  }

 private:
  std::string path_;
  std::ofstream file_;
};

double secondsOf(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// One run, phase by phase.
class Run {
 public:
  Run(const Settings& settings, std::ostream& out)
      : settings_(settings),
        options_(settings_.options),
        out_(out),
        url_(*parseUrl(options_.url)),
        progress_(out, options_.quiet, monotonicNow()),
        json_(options_.jsonFile),
        html_(options_.htmlFile) {
    if (!options_.recordFile.empty()) journal_.emplace(options_.recordFile);
    const auto address = resolve(url_);
    for (int i = 0; i < options_.threads; ++i) {
      drivers_.push_back(std::make_unique<Driver>(
          address,
          static_cast<std::size_t>(share(static_cast<std::uint64_t>(options_.connections), i))));
    }
  }

  int run() {
    auto population = prepare();
    if (!population) return kLoadNotStarted;
    rooms_ = population->rooms;
    booksBefore_ = population->booksBefore;
    stream(std::move(*population));
    if (options_.verify != Verify::none) check();
    progress_.finish();
    const auto code = exitCode(settings_, summary_);
    out_ << report(settings_, summary_) << std::flush;
    json_.write(reportJson(settings_, summary_, code));
    if (!options_.htmlFile.empty()) html_.write(reportHtml(settings_, summary_, code));
    return code;
  }

 private:
  // The i-th thread's part of `count` things.
  [[nodiscard]] std::uint64_t share(std::uint64_t count, int thread) const {
    const auto threads = static_cast<std::uint64_t>(options_.threads);
    return count / threads + (static_cast<std::uint64_t>(thread) < count % threads ? 1 : 0);
  }

  std::optional<Population> prepare() {
    const int registered =
        std::min(options_.registeredMost,
                 options_.viewers -
                     static_cast<int>(std::lround(options_.viewers * options_.guestFraction)));
    const bool hasOperator = !options_.operatorPassword.empty() &&
                             (settings_.inBatches() || options_.verify != Verify::none);
    Preparation preparation({.url = url_,
                             .rooms = options_.rooms,
                             .registered = registered,
                             .guests = options_.viewers - registered,
                             .password = options_.password,
                             .operatorName = hasOperator ? options_.operatorName : "",
                             .operatorPassword = options_.operatorPassword,
                             .needsOperator = settings_.inBatches(),
                             .readBooks = options_.verify != Verify::none,
                             .firstAnswerUs = usOf(options_.waitForNodeSeconds.value_or(10))},
                            monotonicNow());
    runAll(drivers_, {&preparation}, 1, abort_, [&] {
      if (Interrupts::seen() > 0) abort_ = true;
      const auto now = monotonicNow();
      if (!progress_.due(now)) return;
      progress_.show(preparation.heard()
                         ? fmt::format("preparing anchors, rooms, viewers: {} of {}",
                                       preparation.finished(), preparation.total())
                         : fmt::format("waiting for {} to answer", url_.authority()),
                     now);
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
    startUs_ = monotonicNow();
    summary_.startedAt = clock_.now();
    makeStreams(std::move(population));
    std::optional<Schedule> schedule;
    if (!settings_.stages.empty()) {
      schedule.emplace(settings_.stages, 1);
    } else if (options_.rate > 0) {
      schedule.emplace(options_.rate);
    }
    series_.emplace(std::move(schedule), startUs_, scheduleEndUs());
    std::vector<Source*> sources(streams_.size());
    std::transform(streams_.begin(), streams_.end(), sources.begin(),
                   [](const auto& one) { return one.get(); });
    rusage before{};
    getrusage(RUSAGE_SELF, &before);
    runAll(drivers_, sources, 1, abort_, [&] { look(); });
    conclude(before);
  }

  void conclude(const rusage& before) {
    rusage after{};
    getrusage(RUSAGE_SELF, &after);
    const auto now = monotonicNow();
    collect();
    MonotonicUs lastEndUs = startUs_;
    for (const auto& one : streams_) {
      summary_.open += one->open();
      lastEndUs = std::max(lastEndUs, one->lastEndUs());
    }
    series_->finish(now, summary_.open);
    auto endUs = scheduleEndUs();
    if (stoppedUs_) endUs = std::min(endUs, *stoppedUs_);
    if (options_.tips) endUs = std::min(endUs, lastEndUs);
    summary_.runUs = now - startUs_;
    summary_.measuredUs = std::max<MonotonicUs>(0, endUs - measureFromUs());
    summary_.tally = series_->total();
    summary_.series = series_->takeRows();
    summary_.cost = {.userSeconds = secondsOf(after.ru_utime) - secondsOf(before.ru_utime),
                     .systemSeconds = secondsOf(after.ru_stime) - secondsOf(before.ru_stime),
                     .wallSeconds = static_cast<double>(now - startUs_) / 1e6,
                     .memoryMiB = static_cast<double>(after.ru_maxrss) / 1'024};
  }

  void makeStreams(Population population) {
    for (int i = 0; i < options_.threads; ++i) {
      Population part{.rooms = population.rooms, .viewers = {}, .operator_ = population.operator_};
      for (auto at = static_cast<std::size_t>(i); at < population.viewers.size();
           at += static_cast<std::size_t>(options_.threads)) {
        part.viewers.push_back(std::move(population.viewers[at]));
      }
      streams_.push_back(std::make_unique<TipStream>(planOf(i), std::move(part), clock_, ids_));
    }
  }

  [[nodiscard]] TipPlan planOf(int thread) {
    const double requestPart = 1.0 / options_.threads / settings_.batch();
    const bool keeps = options_.verify != Verify::none && options_.verify != Verify::sums;
    TipPlan plan{.url = url_,
                 .pace = {.perSecond = options_.rate * requestPart,
                          .stages = settings_.stages,
                          .part = requestPart,
                          .startUs = startUs_,
                          .endUs = scheduleEndUs(),
                          .phase = static_cast<double>(thread) / options_.threads,
                          .latestUs = usOf(options_.dropAfterSeconds)},
                 .batch = static_cast<std::uint32_t>(settings_.batch()),
                 .inBatches = settings_.inBatches(),
                 .measureFromUs = measureFromUs(),
                 .roomExponent = options_.zipf,
                 .viewerExponent = options_.zipfViewers,
                 .taste = options_.taste,
                 .duplicates = options_.duplicates,
                 .duplicatesWithinUs = usOf(options_.duplicatesWithinSeconds),
                 .resolveMostUs = usOf(options_.waitForNodeSeconds.value_or(60)),
                 .sign = options_.sign,
                 .seed = options_.seed + static_cast<std::uint64_t>(thread),
                 .randomTraceIds = options_.randomTraceIds,
                 .passwords = {options_.password, options_.operatorPassword},
                 .recordMost = !keeps                ? 0
                               : settings_.endless() ? kEndlessRecord / drivers_.size()
                                                     : kEverything,
                 .journal = journal_ ? &*journal_ : nullptr};
    if (options_.tips) plan.tipsMost = share(*options_.tips, thread);
    return plan;
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
    if (!series_->due(now)) return;
    collect();
    std::size_t open = 0;
    std::size_t waiting = 0;
    for (const auto& one : streams_) {
      open += one->open();
      waiting += one->waiting();
    }
    series_->close(now, open, waiting);
    if (!progress_.due(now)) return;
    const auto recent = series_->takeRecent();
    progress_.show(progressLine({.elapsedUs = now - startUs_,
                                 .recentUs = recent.spanUs,
                                 .open = open,
                                 .waiting = waiting},
                                series_->total(), recent.tally),
                   now);
  }

  void collect() {
    for (const auto& one : streams_) {
      Tally part;
      one->take(part);
      series_->add(part);
    }
  }

  void check() {
    std::size_t kept = 0;
    for (const auto& one : streams_) kept += one->record().size();
    summary_.verified = options_.verify != Verify::automatic ? options_.verify
                        : kept > kAllMost                    ? Verify::sample
                                                             : Verify::all;
    lookUp(summary_.verified == Verify::sample && kept > kSample
               ? static_cast<double>(kSample) / static_cast<double>(kept)
               : 1);
    if (!abort_) compareSums();
  }

  [[nodiscard]] static const Sender* operatorOf(const TipStream& stream) {
    const auto& senders = stream.senders();
    const auto found = std::find_if(senders.begin(), senders.end(), [](const Sender& one) {
      return one.kind == PrincipalKind::operator_;
    });
    return found == senders.end() ? nullptr : &*found;
  }

  void lookUp(double part) {
    const auto now = monotonicNow();
    std::vector<std::unique_ptr<Verification>> parts;
    std::vector<Source*> sources;
    std::size_t total = 0;
    for (const auto& one : streams_) {
      const auto size = one->record().size();
      const auto sample = static_cast<std::size_t>(std::ceil(static_cast<double>(size) * part));
      // In batches the operator sent the tips; the viewers' tokens may have ended.
      const auto* reader = settings_.inBatches() ? operatorOf(*one) : nullptr;
      parts.push_back(std::make_unique<Verification>(
          LookUps{one->record(), one->doubtful(), one->senders(), reader, sample, options_.seed},
          now));
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
        for (const auto& one : parts) finished += one->finished();
        progress_.show(fmt::format("looking up acknowledged tips: {} of {}", finished, total), at);
      });
    }
    summary_.findings.emplace();
    for (const auto& one : parts) summary_.findings->add(one->findings());
  }

  void compareSums() {
    SumPlan plan{.rooms = rooms_,
                 .acknowledged = std::vector<Sums>(rooms_.size()),
                 .readerHeaders = streams_.front()->senders().back().headers,
                 .booksBefore = booksBefore_,
                 .operatorHeaders = {}};
    if (const auto* reader = operatorOf(*streams_.front())) plan.operatorHeaders = reader->headers;
    for (const auto& one : streams_) {
      for (std::size_t room = 0; room < rooms_.size(); ++room) {
        plan.acknowledged[room].add(one->roomSums()[room]);
      }
    }
    for (const auto& tip : summary_.findings->writtenAfterAll) {
      plan.acknowledged[tip.room].add({1, tip.amountFen});
    }
    SumCheck sums(std::move(plan), monotonicNow());
    const int seenBefore = Interrupts::seen();
    runAll(drivers_, {&sums}, 1, abort_, [&] {
      if (Interrupts::seen() > seenBefore) abort_ = true;
      const auto now = monotonicNow();
      if (progress_.due(now)) progress_.show("comparing sums with the books", now);
    });
    summary_.sums = sums.findings();
  }

  [[nodiscard]] MonotonicUs measureFromUs() const {
    return startUs_ + usOf(options_.warmupSeconds);
  }
  [[nodiscard]] MonotonicUs scheduleEndUs() const {
    return settings_.seconds ? measureFromUs() + usOf(*settings_.seconds) : kNever;
  }

  const Settings& settings_;
  const LoadOptions& options_;
  std::ostream& out_;
  Url url_;
  Progress progress_;
  ReportFile json_;
  ReportFile html_;
  std::optional<JournalFile> journal_;
  Interrupts interrupts_;
  SystemClock clock_;
  crypto::SystemRandom ids_;
  Drivers drivers_;
  std::vector<Room> rooms_;
  std::optional<Sums> booksBefore_;
  std::vector<std::unique_ptr<TipStream>> streams_;
  std::optional<Series> series_;
  std::atomic<bool> abort_ = false;
  std::optional<MonotonicUs> stoppedUs_;
  MonotonicUs startUs_ = 0;
  RunSummary summary_;
};

}  // namespace

int runLoad(const LoadOptions& options, std::ostream& out) {
  crypto::initialise();
  const auto settings = settingsOf(options);
  if (const auto* fault = std::get_if<std::string>(&settings)) {
    out << "load could not start: " << *fault << std::endl;
    return kLoadNotStarted;
  }
  try {
    return Run(std::get<Settings>(settings), out).run();
  } catch (const std::exception& error) {
    out << "load stopped: " << error.what() << std::endl;
    return kLoadNotStarted;
  }
}

}  // namespace tipflow::load
