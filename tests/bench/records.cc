// What keeping log lines costs and how fast they are found again, with as many of them as asked
// for:
//   tipflow_records DIRECTORY LINES
// Fills an empty directory; asks, when there are lines in it. The figures stand in
// docs/decisions/0005-where-log-lines-live.md.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <vector>

#include "base/random.h"
#include "base/trace_context.h"
#include "console/record_store.h"

namespace tipflow::console {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kBatch = 1'000;
constexpr Time kStart{1'790'000'000 * kUsPerSecond};
constexpr std::int64_t kUsBetweenLines = 26'000;  // 10 million in three days
constexpr int kRepeats = 21;
constexpr std::uint64_t kRareEvery = 1'000'003;

// Lines as the nodes of a busy platform write them.
class Platform {
 public:
  explicit Platform(std::uint64_t seed) : random_(seed) {}

  std::string line(std::uint64_t i, Time now) {
    if (i % kRareEvery == kRareEvery / 2) return rare(now);
    const auto kind = random_.below(1'000);
    if (kind < 760) return tip(now);
    if (kind < 860) return read(now);
    if (kind < 940) return settled(now);
    if (kind < 970) return span(now);
    if (kind < 997) return refused(now);
    return failed(now);
  }

 private:
  std::string head(Time now, std::string_view level, std::string_view role) {
    return fmt::format(
        R"({{"ts":"{}","level":"{}","role":"{}","node":"node-{}","traceId":"{}","spanId":"{}")",
        formatTime(now), level, role, random_.below(4) + 1, TraceId::make(now, random_).hex(),
        spanHex(random_.bits()));
  }
  std::string tip(Time now) {
    return head(now, "info", "audience") +
           fmt::format(R"(,"msg":"request","method":"POST","path":"/api/v1/tips","status":201,)"
                       R"("ms":{},"by":"viewer","id":{},"roomId":{},"amount":{},"giftId":{},)"
                       R"("count":{},"tip":"{}"}})",
                       ms(), 1 + random_.below(300'000), 1 + random_.below(2'000),
                       10 * (1 + random_.below(1'000)), random_.below(40), 1 + random_.below(10),
                       TraceId::make(now, random_).hex());
  }
  std::string read(Time now) {
    const bool room = random_.below(2) == 0;
    return head(now, "info", room ? "anchor" : "audience") +
           fmt::format(
               R"(,"msg":"request","method":"GET","path":"{}","status":200,"ms":{},"by":"viewer","id":{}}})",
               room ? fmt::format("/api/v1/rooms/{}", 1 + random_.below(2'000))
                    : fmt::format("/api/v1/tips/{}", TraceId::make(now, random_).hex()),
               ms(), 1 + random_.below(300'000));
  }
  std::string settled(Time now) {
    return head(now, "info", "finance") +
           fmt::format(R"(,"msg":"tip settled","tip":"{}","tipId":{},"units":{}}})",
                       TraceId::make(now, random_).hex(), random_.below(std::uint64_t{1} << 40),
                       random_.below(10'000'000));
  }
  std::string refused(Time now) {
    return head(now, "warn", "audience") +
           fmt::format(
               R"(,"msg":"request refused","method":"POST","path":"/api/v1/tips",)"
               R"("status":409,"code":"room_not_live","ms":{},"id":{},"message":"好听！加油"}})",
               ms(), 1 + random_.below(300'000));
  }
  std::string failed(Time now) {
    return head(now, "error", "audience") +
           fmt::format(R"(,"msg":"request failed","path":"/api/v1/tips","error":"SQLite: )"
                       R"(disk I/O error (10) in: INSERT INTO tip","id":{}}})",
                       random_.below(300'000));
  }
  std::string rare(Time now) {
    return head(now, "error", "finance") +
           R"(,"msg":"the books do not match","check":"reconciliation","difference":1})";
  }
  std::string span(Time now) {
    const auto took = 500 + random_.below(20'000) + (random_.below(2'000) == 0 ? 800'000 : 0);
    return fmt::format(
        R"({{"ts":"{}","span":"POST /api/v1/tips","role":"audience","node":"node-{}",)"
        R"("traceId":"{}","spanId":"{}","startUs":{},"us":{},"error":{},"status":201}})",
        formatTime(now), random_.below(4) + 1, TraceId::make(now, random_).hex(),
        spanHex(random_.bits()), now.us, took, random_.below(5'000) == 0);
  }
  std::string ms() { return fmt::format("{}.{:03}", random_.below(20), random_.below(1'000)); }

  SeededRandom random_;
};

double cpuSeconds() {
  rusage used{};
  getrusage(RUSAGE_THREAD, &used);
  const auto of = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  return of(used.ru_utime) + of(used.ru_stime);
}

void fill(RecordStore& store, ManualClock& clock, std::uint64_t lines) {
  Platform platform(7);
  double cpu = 0;
  double longest = 0;
  const auto began = steady_clock::now();
  std::int64_t raw = 0;
  for (std::uint64_t i = 0; i < lines;) {
    Lines batch;
    for (; batch.count < kBatch && i < lines; ++i) {
      batch.add(platform.line(i, clock.now()));
      clock.advance(Duration{kUsBetweenLines});
    }
    raw += static_cast<std::int64_t>(batch.text.size());
    const auto at = cpuSeconds();
    const auto wall = steady_clock::now();
    store.keep(batch.text);
    cpu += cpuSeconds() - at;
    longest = std::max(longest, std::chrono::duration<double>(steady_clock::now() - wall).count());
  }
  const double wall = std::chrono::duration<double>(steady_clock::now() - began).count();
  std::cout << fmt::format(
      "kept {} lines of {} bytes: {:.2f} us CPU a line, {} bytes a line on disk, {} files, longest "
      "batch {:.0f} ms, {:.0f} s in all\n",
      lines, raw / std::int64_t(lines), cpu / double(lines) * 1e6,
      store.bytes() / std::int64_t(lines), store.segments(), longest * 1e3, wall);
}

struct Question {
  std::string name;
  std::unique_ptr<RecordFilter> filter;
  Time from{0};
  Time to{std::numeric_limits<std::int64_t>::max()};
  std::size_t limit = 100;
};

std::unique_ptr<LogFilter> logs(std::string_view q, Severity least = Severity::debug,
                                std::string role = {}) {
  auto filter = std::make_unique<LogFilter>();
  filter->wanted = wantedWords(q);
  filter->least = least;
  filter->role = std::move(role);
  return filter;
}

std::unique_ptr<LogFilter> ofTrace(std::string_view id) {
  auto filter = std::make_unique<LogFilter>();
  filter->trace = TraceId::parse(id);
  return filter;
}

std::unique_ptr<RootFilter> roots(std::string name, Duration least, std::optional<bool> failed) {
  auto filter = std::make_unique<RootFilter>();
  filter->name = std::move(name);
  filter->least = least;
  filter->failed = failed;
  return filter;
}

/// A trace id that a line near the given share of all lines has.
std::string traceIdAt(RecordStore& store, Time at) {
  LogFilter all;
  const auto found =
      store.find({all, Time{0}, at, kFromNewest, 1, steady_clock::now() + std::chrono::seconds(9)});
  return found.lines.empty() ? std::string(32, '0')
                             : std::string(readRecord(found.lines.front().text)->traceId);
}

void ask(RecordStore& store, const Question& question, Duration limit) {
  std::vector<double> ms;
  Found found;
  for (int i = 0; i < kRepeats; ++i) {
    const auto began = steady_clock::now();
    found = store.find(
        {*question.filter, question.from, question.to, kFromNewest, question.limit, began + limit});
    ms.push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - began).count());
    if (ms.back() > 3'000) break;
  }
  std::sort(ms.begin(), ms.end());
  std::cout << fmt::format("| {} | {} | {:.1f} | {:.1f} | {} |\n", question.name,
                           found.lines.size(), ms[ms.size() / 2], ms.back(),
                           found.searchedTo ? "stopped" : "complete");
}

void askAll(RecordStore& store, Duration limit) {
  const auto end = kStart + Duration{store.lines() * kUsBetweenLines};
  const auto middle = kStart + Duration{store.lines() * kUsBetweenLines / 2};
  std::vector<Question> questions;
  const auto add = [&](std::string name, std::unique_ptr<RecordFilter> filter, Time from = Time{0},
                       Time to = Time{std::numeric_limits<std::int64_t>::max()}) {
    questions.push_back({std::move(name), std::move(filter), from, to});
  };
  const auto early = kStart + Duration{store.lines() * kUsBetweenLines / 10};
  add("everything", logs(""));
  add("everything, in the middle", logs(""), Time{0}, middle);
  add("a trace id, newest", ofTrace(traceIdAt(store, end)));
  add("a trace id, from the first tenth", ofTrace(traceIdAt(store, early)));
  add("a trace id that is not there", ofTrace("0123456789abcdef0123456789abcdef"));
  add("q in every line: node", logs("node"));
  add("q in most lines: post tips 201", logs("post tips 201"));
  add("q in no line", logs("nowhere"));
  add("q in ten lines: reconciliation", logs("reconciliation"));
  add("q one viewer: id 123456", logs("viewer 123456"));
  add("q begins a word: recon", logs("recon"));
  add("q begins many words: p", logs("p"));
  add("q Chinese: 加油", logs("加油"));
  add("q two words, each in most blocks, never in one line: settled 409", logs("settled 409"));
  add("level error", logs("", Severity::error));
  add("level error, role finance", logs("", Severity::error, "finance"));
  add("level error, role finance, one hour", logs("", Severity::error, "finance"), middle,
      middle + Duration{kUsPerHour});
  add("level warn, role anchor (none)", logs("", Severity::warn, "anchor"));
  add("level warn, q room_not_live", logs("room_not_live", Severity::warn));
  add("role finance", logs("", Severity::debug, "finance"));
  add("traces", roots("", Duration{0}, std::nullopt));
  add("traces slower than 500 ms", roots("", Duration{500'000}, std::nullopt));
  add("traces that failed", roots("", Duration{0}, true));
  add("traces by name, slower than 500 ms, failed",
      roots("POST /api/v1/tips", Duration{500'000}, true));
  add("traces by a name that is not there", roots("GET /nowhere", Duration{0}, std::nullopt));
  std::cout << "| question | lines | median ms | most ms | |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& question : questions) ask(store, question, limit);
}

int run(const std::string& directory, std::uint64_t lines) {
  ManualClock clock(kStart);
  RecordStoreOptions options;
  options.directory = directory;
  options.mostBytes = std::int64_t{1} << 40;
  options.keepFor = Duration{365 * kUsPerDay};
  if (const char* size = std::getenv("BLOCK_LINES")) options.blocks.blockLines = std::stoul(size);
  if (const char* n = std::getenv("BLOCKS_AT_ONCE")) options.blocks.blocksAtOnce = std::stoul(n);
  RecordStore store(options, clock);
  const auto began = steady_clock::now();
  store.open();
  std::cout << fmt::format(
      "opened {} files in {:.0f} ms\n", store.segments(),
      std::chrono::duration<double, std::milli>(steady_clock::now() - began).count());
  if (store.lines() == 0) {
    fill(store, clock, lines);
    return 0;
  }
  askAll(store, Duration{150 * kUsPerMs});
  std::cout << "without a limit of time:\n";
  askAll(store, Duration{60 * kUsPerSecond});
  return 0;
}

}  // namespace
}  // namespace tipflow::console

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: tipflow_records DIRECTORY LINES\n";
    return 2;
  }
  return tipflow::console::run(argv[1], std::strtoull(argv[2], nullptr, 10));
}
