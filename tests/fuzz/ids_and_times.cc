// Instants and trace ids as text: refused, or read back from how they are shown.
#include "base/time.h"
#include "base/trace_id.h"
#include "property.h"

namespace tipflow {
namespace {

using fuzz::require;

void checkTime(std::string_view text) {
  const auto time = parseTime(text);
  if (!time) return;
  const auto shown = formatTime(*time);
  require(shown.size() == 24 && shown.back() == 'Z', "an instant is shown in one form");
  require(parseTime(shown) == Time{time->us / kUsPerMs * kUsPerMs},
          "an instant is read back, cut to milliseconds");
  require(text.size() >= 20, "an instant has a date, a time and an offset");
  require(startOfHour(*time) <= *time && *time - startOfHour(*time) < Duration{kUsPerHour},
          "an instant lies in its hour");
  require(roundUpToMs(*time) >= *time && roundUpToMs(*time).us % kUsPerMs == 0,
          "rounding up goes up");
}

void checkTraceId(std::string_view text) {
  const auto id = TraceId::parse(text);
  if (!id) return;
  require(text.size() == 32 || text.size() == 36, "an id has 128 bits");
  require(TraceId::parse(id->hex()) == id, "an id is read back from its digits");
  const auto bytes = id->bytes();
  require(TraceId::fromBytes({bytes.data(), bytes.size()}) == *id,
          "an id is read back from its bytes");
}

}  // namespace
}  // namespace tipflow

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = tipflow::fuzz::asText(data, size);
  tipflow::checkTime(text);
  tipflow::checkTraceId(text);
  return 0;
}
