#include "app/change_recorder.h"

#include "platform/log.h"

namespace tipflow::app {

ChangeRecorder::ChangeRecorder(Logs logs, console::Operators* names, const Clock& clock,
                               Metrics& metrics)
    : logs_(logs),
      names_(names),
      clock_(clock),
      lost_(metrics.counter("tipflow_operator_actions_lost_total",
                            "Changes of operators that are in the node's log alone.")) {}

// Roles on DB1 write there, all others to DB2; where the node has one database, to that.
http::OperatorLog* ChangeRecorder::logOf(const http::Route& route) const {
  const bool db1 = route.role == "anchor" || route.role == "audience";
  auto* const first = db1 ? logs_.db1 : logs_.db2;
  return first != nullptr ? first : db1 ? logs_.db2 : logs_.db1;
}

http::Task<std::string> ChangeRecorder::nameOf(std::int64_t operatorId) {
  if (names_ == nullptr) co_return std::string{};
  try {
    co_return co_await names_->nameOf(operatorId);
  } catch (const db::Error&) {
    co_return std::string{};
  }
}

http::Task<> ChangeRecorder::record(const http::Route& route, const http::Call& call,
                                    std::optional<ErrorCode> refusal) {
  if (!http::isKept(refusal)) co_return;
  auto operatorName = co_await nameOf(call.principal->id);
  auto action = http::actionOf(route, call, refusal, std::move(operatorName), clock_.now());
  try {
    auto* const kept = logOf(route);
    if (kept == nullptr) co_return;
    co_await kept->add(action);
  } catch (const std::exception& error) {
    lost_.Increment();
    const auto shown = [](const std::optional<http::JsonText>& json) {
      return json ? std::string_view(json->text) : std::string_view{};
    };
    log::line(log::Level::error, route.role, log::to(call.context), "operator action not kept",
              log::field("operator", action.operatorId), log::field("action", action.action),
              log::field("object", action.object), log::field("before", shown(action.before)),
              log::field("after", shown(action.after)), log::field("address", action.address),
              log::field("outcome", action.outcome),
              log::field("error", std::string_view(error.what())));
  }
}

}  // namespace tipflow::app
