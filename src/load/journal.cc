#include "load/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "load/wire.h"

namespace tipflow::load {
namespace {

constexpr std::size_t kWriteBytes = 256 * 1024;

}  // namespace

JournalFile::JournalFile(const std::string& path)
    : path_(path), file_(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (file_ < 0) throw std::runtime_error(path + ": " + std::strerror(errno));
}

JournalFile::~JournalFile() { ::close(file_); }

void JournalFile::write(std::string_view lines) {
  const std::scoped_lock lock(mutex_);
  while (!lines.empty()) {
    const auto count = ::write(file_, lines.data(), lines.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw std::runtime_error(path_ + ": " + std::strerror(errno));
    lines.remove_prefix(static_cast<std::size_t>(count));
  }
}

void appendLine(std::string& out, const JournalEntry& entry, const Choice& choice) {
  out += R"({"traceId":")";
  appendHex(out, entry.traceId);
  out += R"(","viewerId":)";
  appendNumber(out, entry.viewerId);
  out += R"(,"roomId":)";
  appendNumber(out, entry.roomId);
  out += R"(,"amount":)";
  appendNumber(out, choice.amount.value);
  out += R"(,"giftId":)";
  appendNumber(out, choice.giftId);
  out += R"(,"count":)";
  appendNumber(out, choice.count);
  out += R"(,"outcome":")";
  out += entry.outcome;
  out += R"(","tipId":)";
  if (entry.tipId == 0) {
    out += "null";
  } else {
    appendNumber(out, entry.tipId);
  }
  out += "}\n";
}

void Journal::add(const JournalEntry& entry, const Choice& choice) {
  if (!wanted()) return;
  appendLine(lines_, entry, choice);
  if (lines_.size() >= kWriteBytes) flush();
}

void Journal::flush() {
  if (lines_.empty()) return;
  file_->write(lines_);
  lines_.clear();
}

}  // namespace tipflow::load
