// The body of db::transact.
#pragma once

#include <chrono>
#include <thread>
#include <type_traits>

namespace tipflow::db {

/// A connection that was found dead before anything was sent is no lost outcome.
inline void beginOrUnavailable(Connection& connection) {
  try {
    connection.begin();
  } catch (const ConnectionLost& lost) {
    throw Unavailable(lost.code(), lost.what());
  }
}

template <class Work>
auto transact(Connection& connection, Work&& work, int attempts) -> decltype(work(connection)) {
  for (int attempt = 1;; ++attempt) {
    try {
      beginOrUnavailable(connection);
      if constexpr (std::is_void_v<decltype(work(connection))>) {
        work(connection);
        connection.commit();
        return;
      } else {
        auto result = work(connection);
        connection.commit();
        return result;
      }
    } catch (const RolledBack&) {
      connection.rollback();
      if (attempt >= attempts) throw;
    } catch (...) {
      connection.rollback();
      throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1 << attempt));
  }
}

/// Runs `work(connection)` so that everything it reads is of one instant.
template <class Work>
auto inSnapshot(Connection& connection, Work&& work) {
  connection.beginSnapshot();
  try {
    auto result = work(connection);
    connection.commit();
    return result;
  } catch (...) {
    connection.rollback();
    throw;
  }
}

}  // namespace tipflow::db
