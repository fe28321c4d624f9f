#include "load/tip_text.h"

#include "load/wire.h"

namespace tipflow::load {

void appendTip(std::string& out, TraceId traceId, const Choice& choice, std::int64_t roomId,
               std::optional<std::int64_t> viewerId) {
  out += R"({"traceId":")";
  appendHex(out, traceId);
  if (viewerId) {
    out += R"(","viewerId":)";
    appendNumber(out, *viewerId);
    out += R"(,"roomId":)";
  } else {
    out += R"(","roomId":)";
  }
  appendNumber(out, roomId);
  out += R"(,"amount":)";
  appendNumber(out, choice.amount.value);
  out += R"(,"giftId":)";
  appendNumber(out, choice.giftId);
  out += R"(,"count":)";
  appendNumber(out, choice.count);
  if (choice.message != 0) {
    out += R"(,"message":")";
    out += messageText(choice.message);
    out += '"';
  }
  out += '}';
}

BatchResults::BatchResults(std::string_view body) : rest_(body) {
  const auto list = rest_.find('[');
  rest_.remove_prefix(list == std::string_view::npos ? rest_.size() : list + 1);
}

std::optional<BatchResult> BatchResults::next() {
  // Results are flat, and none of their texts has a brace in it.
  const auto begin = rest_.find('{');
  if (begin == std::string_view::npos) return std::nullopt;
  const auto end = rest_.find('}', begin);
  if (end == std::string_view::npos) return std::nullopt;
  const auto object = rest_.substr(begin, end - begin);
  rest_.remove_prefix(end + 1);
  const auto shown = textMember(object, "traceId");
  const auto traceId = shown ? TraceId::parse(*shown) : std::nullopt;
  const auto status = textMember(object, "status");
  if (!traceId || !status) return std::nullopt;
  return BatchResult{*traceId, *status, textMember(object, "code").value_or(""),
                     integerMember(object, "tipId").value_or(0)};
}

}  // namespace tipflow::load
