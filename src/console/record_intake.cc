#include "console/record_intake.h"

#include <charconv>

namespace tipflow::console {
namespace {

constexpr const char* kHeader = "x-tipflow-batch";
// A process is named once in its life; of this many the oldest is long gone.
constexpr std::size_t kMostProcesses = 10'000;

}  // namespace

void RecordIntake::addRoutes(http::Router& router) {
  router.add({http::Method::post, "/internal/v1/records", http::Access::nodes(),
              [this](http::Call& call) { return take(call); }, http::Signing::none,
              http::kBatchBodyLimit, "console"});
}

RecordIntake::Batch RecordIntake::batchOf(const http::Call& call) {
  const std::string& text = call.request->getHeader(kHeader);
  const auto colon = text.rfind(':');
  Batch batch;
  const char* const end = text.data() + text.size();
  const bool good = colon != std::string::npos && colon > 0 &&
                    std::from_chars(text.data() + colon + 1, end, batch.number).ptr == end &&
                    batch.number > 0;
  if (!good) {
    throw BadRequest("X-Tipflow-Batch", ErrorCode::invalid_format, "must be <process>:<number>");
  }
  batch.process = text.substr(0, colon);
  return batch;
}

http::Task<http::ResponsePtr> RecordIntake::take(http::Call& call) {
  const auto batch = batchOf(call);
  const std::string_view lines = call.request->body();
  auto work = [&] {
    keepOnce(batch, lines);
    return true;
  };
  bool full = false;
  try {
    co_await workers_.run(std::move(work));
  } catch (const Workers::Full&) {
    full = true;
  }
  if (full) throw http::Refused(ErrorCode::overloaded);
  co_return http::noContent();
}

void RecordIntake::keepOnce(const Batch& batch, std::string_view lines) {
  const std::lock_guard lock(mutex_);
  if (last_.size() > kMostProcesses) last_.clear();
  auto& last = last_[batch.process];
  if (batch.number <= last) return;
  store_.keep(lines);
  last = batch.number;
}

}  // namespace tipflow::console
