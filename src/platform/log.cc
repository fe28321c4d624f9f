#include "platform/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <vector>

namespace tipflow::log {
namespace {

constexpr std::size_t kQueueLines = 16'384;
constexpr std::size_t kFileBytes = 64 * 1024 * 1024;
constexpr std::size_t kFiles = 4;

std::shared_ptr<spdlog::logger> logger;
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

}  // namespace

void start(const Options& options) {
  nodeName = options.node;
  threshold = options.level;
  // When the queue is full the oldest lines go: a log never slows a tip.
  spdlog::init_thread_pool(kQueueLines, 1);
  std::vector<spdlog::sink_ptr> sinks;
  auto console = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  if (!options.file.empty()) {
    sinks.push_back(
        std::make_shared<spdlog::sinks::rotating_file_sink_mt>(options.file, kFileBytes, kFiles));
    console->set_level(spdlog::level::err);
  }
  sinks.push_back(console);
  logger = std::make_shared<spdlog::async_logger>("tipflow", sinks.begin(), sinks.end(),
                                                  spdlog::thread_pool(),
                                                  spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::warn);
  spdlog::register_logger(logger);
  spdlog::flush_every(std::chrono::seconds(1));
}

void stop() {
  logger.reset();
  spdlog::shutdown();
}

bool enabled(Level level) { return logger != nullptr && level >= threshold.load(); }

Level levelFromWord(std::string_view word) {
  for (const Level level : {Level::debug, Level::info, Level::warn, Level::error}) {
    if (wordOf(level) == word) return level;
  }
  return Level::info;
}

void appendQuoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

void write(Level level, std::string_view role, std::string_view traceId, std::string_view message,
           std::string_view fields) {
  const auto sink = logger;
  if (sink == nullptr) return;
  std::string text;
  text.reserve(160 + fields.size());
  text += "{\"ts\":\"";
  text += formatTime(SystemClock{}.now());
  text += "\",\"level\":\"";
  text += wordOf(level);
  text += "\",\"role\":\"";
  text += role;
  text += "\",\"node\":";
  appendQuoted(text, nodeName);
  if (!traceId.empty()) {
    text += ",\"traceId\":\"";
    text += traceId;
    text += '"';
  }
  text += ",\"msg\":";
  appendQuoted(text, message);
  text += fields;
  text += '}';
  sink->log(toSpdlog(level), text);
}

}  // namespace tipflow::log
