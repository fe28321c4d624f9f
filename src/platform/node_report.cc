#include "platform/node_report.h"

namespace tipflow {
namespace {

using boost::json::object;

std::string textOf(const object& from, const char* name) {
  const auto& text = from.at(name).as_string();
  return {text.data(), text.size()};
}

Time timeOf(const object& from, const char* name) {
  const auto time = parseTime(textOf(from, name));
  if (!time) throw std::invalid_argument("not a time");
  return *time;
}

std::int64_t integerOf(const object& from, const char* name) {
  return from.at(name).to_number<std::int64_t>();
}

const object* partOf(const object& from, const char* name) {
  const auto* part = from.if_contains(name);
  return part != nullptr ? part->if_object() : nullptr;
}

NodeReport read(const object& from) {
  NodeReport report;
  report.version = textOf(from, "version");
  report.startedAt = timeOf(from, "startedAt");
  if (const auto* tips = partOf(from, "tips")) {
    report.tips = {tips->at("perSecond").to_number<double>(), integerOf(*tips, "waiting"),
                   integerOf(*tips, "lagMs")};
  }
  if (const auto* today = partOf(from, "today")) {
    report.today = {timeOf(*today, "from"), integerOf(*today, "tips"),
                    Fen{integerOf(*today, "amount")}};
  }
  return report;
}

}  // namespace

std::optional<NodeReport> readNodeReport(std::string_view text) {
  try {
    return read(boost::json::parse(text).as_object());
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace tipflow
