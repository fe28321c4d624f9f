#include "platform/log.h"

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <condition_variable>
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
constexpr std::size_t kMostEarly = 1'000;

enum class Goes { everywhere, toCollectorAlone };

struct Line {
  Level level;
  std::string text;
  Goes goes = Goes::everywhere;
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

  void add(Line line) {
    const std::lock_guard lock(mutex_);
    if (bytes_ + line.text.size() > kMostWaiting) {
      ++dropped_;
      ++allDropped_;
      return;
    }
    bytes_ += line.text.size();
    waiting_.push_back(std::move(line));
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
  void collect(std::vector<Line>& lines);
  void reportFlushed(std::int64_t asked);
  /// False when a sink could not take the line.
  bool write(const Line& line);
  /// A full disk takes no line and must not end the node: it is said once, and lines are counted.
  template <class Use>
  bool onSinks(Use use);

  std::vector<spdlog::sink_ptr> sinks_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Line> waiting_;
  std::size_t bytes_ = 0;
  std::condition_variable flushed_;
  std::int64_t flushesAsked_ = 0;
  std::int64_t flushesDone_ = 0;
  std::int64_t dropped_ = 0;
  std::atomic<std::int64_t> allDropped_{0};
  std::mutex collectorMutex_;
  Collector collector_;
  bool collected_ = false;          // there is or was a collector
  std::vector<std::string> early_;  // what came before the first one
  bool stopping_ = false;
  bool failing_ = false;  // the writer's thread alone
  std::thread thread_;
};

std::unique_ptr<Writer> writer;
std::atomic<bool> started{false};
std::atomic<Level> threshold{Level::info};
std::string nodeName;

spdlog::level::level_enum toSpdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

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
  std::vector<Line> lines;
  std::int64_t dropped = 0;
  std::int64_t asked = 0;
  for (bool last = false; !last; reportFlushed(asked)) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kWriteEvery,
                     [this] { return stopping_ || flushesAsked_ > flushesDone_; });
      last = stopping_;
      asked = flushesAsked_;
      lines.swap(waiting_);
      bytes_ = 0;
      dropped += std::exchange(dropped_, 0);
    }
    if (lines.empty() && dropped == 0) continue;
    bool good = true;
    for (const auto& line : lines) {
      if (line.goes == Goes::toCollectorAlone || write(line)) continue;
      good = false;
      ++dropped;
      ++allDropped_;
    }
    if (dropped > 0) {
      good &=
          write({Level::warn, fmt::format(R"({{"ts":"{}","level":"warn","role":"platform","msg":)"
                                          R"("log lines dropped","count":{}}})",
                                          formatTime(SystemClock{}.now()), dropped)});
    }
    good &= onSinks([](spdlog::sinks::sink& sink) { sink.flush(); });
    if (good) dropped = 0;
    failing_ = !good;
    collect(lines);
    lines.clear();
  }
}

void Writer::reportFlushed(std::int64_t asked) {
  {
    const std::lock_guard lock(mutex_);
    flushesDone_ = asked;
  }
  flushed_.notify_all();
}

void Writer::collect(std::vector<Line>& lines) {
  const std::lock_guard lock(collectorMutex_);
  if (lines.empty()) return;
  if (!collected_) {
    for (auto& line : lines) {
      if (early_.size() < kMostEarly) early_.push_back(std::move(line.text));
    }
    return;
  }
  if (!collector_) return;
  std::vector<std::string> texts;
  texts.reserve(lines.size());
  for (auto& line : lines) texts.push_back(std::move(line.text));
  collector_(std::move(texts));
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

bool Writer::write(const Line& line) {
  const spdlog::details::log_msg message("", toSpdlog(line.level), line.text);
  return onSinks([&](spdlog::sinks::sink& sink) {
    if (sink.should_log(message.level)) sink.log(message);
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

// What lines and spans have in common, up to the node.
void appendOrigin(std::string& text, std::string_view role) {
  text += ",\"role\":\"";
  text += role;
  text += "\",\"node\":";
  appendJsonString(text, nodeName);
}

}  // namespace

std::string formatLine(Level level, std::string_view role, const Belongs& belongs,
                       std::string_view message, std::string_view fields) {
  std::string text;
  text.reserve(224 + fields.size());
  text += "{\"ts\":\"";
  text += formatTime(SystemClock{}.now());
  text += "\",\"level\":\"";
  text += wordOf(level);
  text += '"';
  appendOrigin(text, role);
  appendBelongs(text, belongs);
  text += ",\"msg\":";
  appendJsonString(text, message);
  text += fields;
  text += '}';
  return text;
}

void write(Level level, std::string_view role, const Belongs& belongs, std::string_view message,
           std::string_view fields) {
  if (started) writer->add({level, formatLine(level, role, belongs, message, fields)});
}

void writeSpan(const Span& span, std::string_view fields) {
  if (!started) return;
  std::string text;
  text.reserve(320 + fields.size());
  text += "{\"ts\":\"";
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
  writer->add({Level::info, std::move(text), Goes::toCollectorAlone});
}

}  // namespace tipflow::log
