#include "room/client_frame.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"

namespace tipflow::room {
namespace {

namespace bj = boost::json;
constexpr std::size_t kDeepest = 4;

Rejection fault(std::string field, ErrorCode code, std::string detail) {
  return {ErrorCode::invalid_request, {}, {{std::move(field), code, std::move(detail)}}};
}

/// A member that is to be a text, of 1 to `longest` bytes where that is given.
Result<std::string> textOf(const bj::object& frame, const char* name, std::size_t longest = 0) {
  const auto* value = frame.if_contains(name);
  if (value == nullptr) return fault(name, ErrorCode::required, "is required");
  const auto* text = value->if_string();
  if (text == nullptr) return fault(name, ErrorCode::wrong_type, "must be a string");
  if (longest > 0 && (text->empty() || text->size() > longest)) {
    return fault(name, ErrorCode::out_of_range,
                 "must have 1 to " + std::to_string(longest) + " bytes");
  }
  return std::string(text->data(), text->size());
}

Result<ClientFrame> chatOf(const bj::object& frame) {
  auto id = textOf(frame, "id", kLongestFrameId);
  if (!id) return id.error();
  auto text = textOf(frame, "text");
  if (!text) return text.error();
  for (const auto& [name, _] : frame) {
    if (name != "type" && name != "id" && name != "text") {
      return fault({name.data(), std::min(name.size(), kLongestFrameId)}, ErrorCode::unknown_field,
                   "is not known here");
    }
  }
  return ClientFrame{ClientFrame::Kind::chat, *std::move(id), *std::move(text)};
}

}  // namespace

ReadFrame readClientFrame(std::string_view text) {
  bj::parse_options options;
  options.max_depth = kDeepest;
  bj::error_code wrong;
  const auto value = bj::parse({text.data(), text.size()}, wrong, {}, options);
  if (wrong) return {std::nullopt, ErrorCode::malformed_json};
  const auto* frame = value.if_object();
  if (frame == nullptr) {
    return {std::nullopt, Rejection{ErrorCode::invalid_request, "a frame is a JSON object"}};
  }
  std::optional<std::string> id;
  if (auto given = textOf(*frame, "id", kLongestFrameId)) id = *std::move(given);
  const auto type = textOf(*frame, "type");
  if (!type) return {id, type.error()};
  if (*type == "ping") return {id, ClientFrame{}};
  if (*type == "chat") return {id, chatOf(*frame)};
  return {id, fault("type", ErrorCode::invalid_format, "must be one of: chat, ping")};
}

std::string ack(std::string_view id) {
  std::string frame = R"({"type":"ack","id":)";
  appendJsonString(frame, id);
  frame += '}';
  return frame;
}

std::string error(const std::optional<std::string>& id, const Rejection& rejection) {
  const auto& entry = info(rejection.code);
  std::string frame = R"({"type":"error","id":)";
  if (id) {
    appendJsonString(frame, *id);
  } else {
    frame += "null";
  }
  frame += R"(,"code":")";
  frame += entry.code;
  frame += R"(","detail":)";
  if (!rejection.errors.empty()) {
    const auto& first = rejection.errors.front();
    appendJsonString(frame, first.field + " " + first.detail);
  } else {
    appendJsonString(frame, rejection.detail.empty() ? entry.en : rejection.detail);
  }
  if (entry.status == 429 || rejection.code == ErrorCode::viewer_muted) {
    frame += ",\"retryAfter\":" + std::to_string(rejection.retryAfterSeconds);
  }
  frame += '}';
  return frame;
}

std::string pong() { return R"({"type":"pong"})"; }

}  // namespace tipflow::room
