#include "finance/day_sum.h"

namespace tipflow::finance::store {

Sum settledSince(db::Connection& connection, Time hour) {
  Sum sum;
  connection.query(
      "SELECT COALESCE(SUM(tips), 0), COALESCE(SUM(amount), 0) FROM settlement_hour "
      "WHERE hour >= ?",
      {hour}, [&](const db::Row& row) { sum = {row.integer(0), Fen{row.integer(1)}}; });
  return sum;
}

}  // namespace tipflow::finance::store
