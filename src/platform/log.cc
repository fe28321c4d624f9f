#include "platform/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/thread_name.h"

namespace tipflow::log {
namespace {

constexpr std::size_t kFileBytes = 64 * 1024 * 1024;
constexpr std::size_t kFiles = 4;
constexpr std::chrono::milliseconds kWriteEvery{20};
// Beyond this, lines are dropped and counted: a log never slows a tip.
constexpr std::size_t kMostWaiting = 32 * 1024 * 1024;
// A start says far less than this before its lines are collected.
constexpr std::size_t kMostEarly = 1024 * 1024;

enum class Goes { everywhere, toCollectorAlone };

// What waits to be written.
struct Waiting {
  /// A line that is said on the console, too, when there is a file.
  struct Grave {
    std::size_t begin;
    std::size_t size;
  };

  Lines lines;
  std::vector<Grave> grave;
  Lines spans;  // to the collector alone

  [[nodiscard]] std::size_t bytes() const { return lines.text.size() + spans.text.size(); }
};

// Lines wait here and go out many at a time: a wake-up for each would cost more than the line.
class Writer {
 public:
  explicit Writer(std::vector<spdlog::sink_ptr> sinks)
      : sinks_(std::move(sinks)), thread_([this] { run(); }) {}
  ~Writer() { finish(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Writes what is left; what comes later is lost.
  void finish() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  void add(Level level, std::string_view line, Goes goes) {
    const std::lock_guard lock(mutex_);
    if (waiting_.bytes() + line.size() > kMostWaiting) {
      ++dropped_;
      ++allDropped_;
      return;
    }
    if (goes == Goes::toCollectorAlone) {
      waiting_.spans.add(line);
      return;
    }
    if (level == Level::error) waiting_.grave.push_back({waiting_.lines.text.size(), line.size()});
    waiting_.lines.add(line);
  }

  void flush() {
    std::unique_lock lock(mutex_);
    const auto asked = ++flushesAsked_;
    wake_.notify_one();
    flushed_.wait(lock, [&] { return stopping_ || flushesDone_ >= asked; });
  }

  void collectWith(Collector collector) {
    const std::lock_guard lock(collectorMutex_);
    collector_ = std::move(collector);
    if (!std::exchange(collected_, true) && collector_) collector_(std::move(early_));
    early_ = {};
  }
  [[nodiscard]] std::int64_t dropped() const { return allDropped_.load(); }

 private:
  void run();
  void collect(Waiting taken);
  void reportFlushed(std::int64_t asked);
  /// False when a sink could not take them.
  bool write(const Waiting& taken);
  /// A full disk takes no line and must not end the node: it is said once, and lines are counted.
  template <class Use>
  bool onSinks(Use use);

  std::vector<spdlog::sink_ptr> sinks_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Waiting waiting_;
  std::condition_variable flushed_;
  std::int64_t flushesAsked_ = 0;
  std::int64_t flushesDone_ = 0;
  std::int64_t dropped_ = 0;
  std::atomic<std::int64_t> allDropped_{0};
  std::mutex collectorMutex_;
  Collector collector_;
  bool collected_ = false;  // there is or was a collector
  Lines early_;             // what came before the first one
  bool stopping_ = false;
  bool failing_ = false;  // the writer's thread alone
  std::thread thread_;
};

std::unique_ptr<Writer> writer;
std::atomic<bool> started{false};
std::atomic<Level> threshold{Level::info};
std::string nodeName;

std::string_view wordOf(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "info";
}

void Writer::run() {
  nameThread("log");
  std::size_t usual = 0;
  std::int64_t dropped = 0;
  std::int64_t asked = 0;
  for (bool last = false; !last; reportFlushed(asked)) {
    Waiting taken;
    taken.lines.text.reserve(usual);  // not while others wait
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kWriteEvery,
                     [this] { return stopping_ || flushesAsked_ > flushesDone_; });
      last = stopping_;
      asked = flushesAsked_;
      std::swap(taken, waiting_);
      dropped += std::exchange(dropped_, 0);
    }
    usual = taken.lines.text.size();
    if (taken.bytes() == 0 && dropped == 0) continue;
    bool good = write(taken);
    if (!good) {
      dropped += static_cast<std::int64_t>(taken.lines.count);
      allDropped_ += static_cast<std::int64_t>(taken.lines.count);
    }
    if (dropped > 0) {
      Waiting note;
      note.lines.add(fmt::format(R"({{"ts":"{}","level":"warn","role":"platform","msg":)"
                                 R"("log lines dropped","count":{}}})",
                                 formatTime(SystemClock{}.now()), dropped));
      good &= write(note);
    }
    good &= onSinks([](spdlog::sinks::sink& sink) { sink.flush(); });
    if (good) dropped = 0;
    failing_ = !good;
    collect(std::move(taken));
  }
}

void Writer::reportFlushed(std::int64_t asked) {
  {
    const std::lock_guard lock(mutex_);
    flushesDone_ = asked;
  }
  flushed_.notify_all();
}

void Writer::collect(Waiting taken) {
  const std::lock_guard lock(collectorMutex_);
  auto& all = taken.lines;
  all.add(taken.spans);
  if (all.count == 0) return;
  if (!collected_) {
    if (early_.text.size() + all.text.size() <= kMostEarly) early_.add(all);
  } else if (collector_) {
    collector_(std::move(all));
  }
}

template <class Use>
bool Writer::onSinks(Use use) {
  bool good = true;
  for (const auto& sink : sinks_) {
    try {
      use(*sink);
    } catch (const spdlog::spdlog_ex& error) {
      good = false;
      if (!std::exchange(failing_, true)) {
        std::cerr << "error: the log cannot be written: " << error.what() << '\n';
      }
    }
  }
  return good;
}

bool Writer::write(const Waiting& taken) {
  if (taken.lines.count == 0) return true;
  const auto log = [](spdlog::sinks::sink& sink, spdlog::level::level_enum level,
                      std::string_view text) {
    sink.log({"", level, spdlog::string_view_t(text.data(), text.size())});
  };
  const std::string_view text = taken.lines.text;
  return onSinks([&](spdlog::sinks::sink& sink) {
    if (sink.should_log(spdlog::level::info)) {
      log(sink, spdlog::level::info, text.substr(0, text.size() - 1));  // it ends what it is given
      return;
    }
    for (const auto& [begin, size] : taken.grave) {
      log(sink, spdlog::level::err, text.substr(begin, size));
    }
  });
}

}  // namespace

void start(const Options& options) {
  nodeName = options.node;
  threshold = options.level;
  std::vector<spdlog::sink_ptr> sinks;
  auto console = std::make_shared<spdlog::sinks::stderr_sink_st>();
  if (!options.file.empty()) {
    sinks.push_back(
        std::make_shared<spdlog::sinks::rotating_file_sink_st>(options.file, kFileBytes, kFiles));
    console->set_level(spdlog::level::err);
  }
  sinks.push_back(console);
  for (const auto& sink : sinks) sink->set_pattern("%v");
  writer = std::make_unique<Writer>(std::move(sinks));
  started = true;
}

void stop() {
  started = false;
  writer->finish();  // kept: a late thread may still hold on to it
}

bool enabled(Level level) { return started.load() && level >= threshold.load(); }

void flush() {
  if (started) writer->flush();
}

void setLevel(Level level) { threshold = level; }

std::int64_t dropped() { return writer ? writer->dropped() : 0; }

void collectWith(Collector collector) {
  if (writer) writer->collectWith(std::move(collector));
}

Level levelFromWord(std::string_view word) {
  for (const Level level : {Level::debug, Level::info, Level::warn, Level::error}) {
    if (wordOf(level) == word) return level;
  }
  return Level::info;
}

namespace {

void appendBelongs(std::string& text, const Belongs& belongs) {
  if (!belongs.traceId.empty()) {
    text += ",\"traceId\":\"";
    text += belongs.traceId;
    text += '"';
  }
  if (!belongs.spanId.empty()) {
    text += ",\"spanId\":\"";
    text += belongs.spanId;
    text += '"';
  }
}

// Many lines are of one millisecond.
const std::string& shownNow() {
  thread_local std::int64_t ms = -1;
  thread_local std::string shown;
  const auto now = SystemClock{}.now();
  if (const auto is = now.us / kUsPerMs; is != ms) {
    shown = formatTime(now);
    ms = is;
  }
  return shown;
}

// What lines and spans have in common, up to the node.
void appendOrigin(std::string& text, std::string_view role) {
  text += ",\"role\":\"";
  text += role;
  text += "\",\"node\":";
  appendJsonString(text, nodeName);
}

}  // namespace

void appendMs(std::string& out, Duration duration) {
  auto us = duration.count();
  if (us < 0) out += '-';
  us = std::abs(us);
  appendInteger(out, us / kUsPerMs);
  if (us % kUsPerMs == 0) return;
  std::array<char, 4> rest{'.'};
  for (auto [place, number] = std::pair{rest.size(), us % kUsPerMs}; --place > 0; number /= 10) {
    rest[place] = static_cast<char>('0' + number % 10);
  }
  out.append(rest.data(), std::string_view(rest.data(), rest.size()).find_last_not_of('0') + 1);
}

void formatLine(std::string& text, Level level, std::string_view role, const Belongs& belongs,
                std::string_view message, std::string_view fields) {
  text = "{\"ts\":\"";
  text += shownNow();
  text += "\",\"level\":\"";
  text += wordOf(level);
  text += '"';
  appendOrigin(text, role);
  appendBelongs(text, belongs);
  text += ",\"msg\":";
  appendJsonString(text, message);
  text += fields;
  text += '}';
}

void write(Level level, std::string_view role, const Belongs& belongs, std::string_view message,
           std::string_view fields) {
  if (!started) return;
  thread_local std::string text;  // kept for its memory
  formatLine(text, level, role, belongs, message, fields);
  writer->add(level, text, Goes::everywhere);
}

void writeSpan(const Span& span, std::string_view fields) {
  if (!started) return;
  thread_local std::string text;
  text = "{\"ts\":\"";
  text += formatTime(span.start);
  text += "\",\"span\":";
  appendJsonString(text, span.name);
  appendOrigin(text, span.role);
  appendBelongs(text, to(span.context));
  if (span.parent != 0) {
    text += ",\"parentId\":\"";
    text += spanHex(span.parent);
    text += '"';
  }
  fmt::format_to(std::back_inserter(text), ",\"startUs\":{},\"us\":{},\"error\":{}", span.start.us,
                 (span.end - span.start).count(), span.error);
  text += fields;
  text += '}';
  writer->add(Level::info, text, Goes::toCollectorAlone);
}

}  // namespace tipflow::log
