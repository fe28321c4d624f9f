// The operators' log: who changed what, from where, with what outcome. Each role keeps what was
// done through it in the database it has; readers put the parts together.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/db/database.h"
#include "platform/http/router.h"

namespace tipflow::http {

/// JSON to be written as it is.
struct JsonText {
  std::string text;
};
inline void write(std::string& out, const JsonText& json) { out += json.text; }

struct OperatorAction {
  std::int64_t id = 0;  ///< in its database
  Time at;
  std::int64_t operatorId = 0;
  std::string operatorName;
  std::string action;  ///< `POST /api/v1/viewers/{id}/disable`
  std::string object;
  std::optional<JsonText> before;
  std::optional<JsonText> after;
  std::string address;
  TraceId traceId;
  std::string outcome;  ///< `done`, or a code of api/errors.yaml
};

struct OperatorActionFilter {
  std::optional<std::int64_t> operatorId;
  std::optional<std::string> action;  ///< a part of it
  std::optional<Time> from;
  std::optional<Time> to;
};

/// Behind this one a page goes on, newest first.
struct OperatorActionPlace {
  Time at;
  std::int64_t id = 0;
};

/// What other roles ask for; in this process, or on another node.
class OperatorActions {
 public:
  virtual ~OperatorActions() = default;
  /// At most `limit`, newest first, older than `before`.
  virtual Task<std::vector<OperatorAction>> newest(OperatorActionFilter filter,
                                                   OperatorActionPlace before, int limit) = 0;
};

namespace operator_store {

/// `action.id` is not looked at.
void add(db::Connection& connection, const OperatorAction& action);
std::vector<OperatorAction> newest(db::Connection& connection, const OperatorActionFilter& filter,
                                   const OperatorActionPlace& before, int limit);

}  // namespace operator_store

/// Whether a change is kept: what was done, what may have been done, and what a rule or a right
/// refused; not what never was a request of that operator, nor what was sent away for another time.
[[nodiscard]] bool isKept(std::optional<ErrorCode> refusal);

/// What is kept of a call; secrets and personal data masked.
OperatorAction actionOf(const Route& route, const Call& call, std::optional<ErrorCode> refusal,
                        std::string operatorName, Time now);

class OperatorLog final : public OperatorActions {
 public:
  explicit OperatorLog(db::Database& database) : database_(database) {}

  Task<> add(OperatorAction action);
  Task<std::vector<OperatorAction>> newest(OperatorActionFilter filter, OperatorActionPlace before,
                                           int limit) override;

 private:
  db::Database& database_;
};

}  // namespace tipflow::http
