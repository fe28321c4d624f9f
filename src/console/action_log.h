// The operators' log of all roles, as one list: what roles on DB1 kept and what roles on DB2 kept.
#pragma once

#include <array>

#include "console/operators.h"
#include "platform/http/operator_log.h"

namespace tipflow::console {

struct ShownAction {
  Time at;
  std::int64_t operatorId = 0;
  std::string operatorName;
  std::string action;
  std::string object;
  std::optional<http::JsonText> before;
  std::optional<http::JsonText> after;
  std::string address;
  TraceId traceId;
  std::string outcome;
};
BOOST_DESCRIBE_STRUCT(ShownAction, (),
                      (at, operatorId, operatorName, action, object, before, after, address,
                       traceId, outcome))

struct ActionPage {
  std::vector<ShownAction> items;
  std::optional<std::string> nextPageToken;
  bool complete = true;  ///< false when the part of roles that are away is missing
};
BOOST_DESCRIBE_STRUCT(ActionPage, (), (items, nextPageToken, complete))

class ActionLog {
 public:
  /// Behind which entry of each part a page goes on.
  using Places = std::array<http::OperatorActionPlace, 2>;

  /// `db1`: the part of the roles on DB1, nullptr when they are away.
  ActionLog(http::OperatorActions* db1, http::OperatorActions& db2, Operators& operators)
      : parts_{db1, &db2}, operators_(operators) {}

  /// Newest first. `token`: the numbers of a page token, four of them.
  drogon::Task<ActionPage> list(http::OperatorActionFilter filter,
                                std::optional<std::vector<std::int64_t>> token, int pageSize);

 private:
  drogon::Task<> fillNames(std::vector<ShownAction>& actions);

  std::array<http::OperatorActions*, 2> parts_;
  Operators& operators_;
};

}  // namespace tipflow::console
