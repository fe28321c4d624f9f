// One connection to Redis, over hiredis. Blocks, so it belongs to a thread of its own; every call
// ends within the time it is given. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/time.h"
#include "platform/redis/url.h"

struct redisContext;

namespace tipflow::redis {

/// Redis was not reached, did not answer in time, or the connection broke: the connection is of no
/// use any more, and what was asked may have been carried out or not.
class Away : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using Command = std::vector<std::string>;

struct Reply {
  enum class Kind { nil, text, integer, list, error };
  Kind kind = Kind::nil;
  std::string text;  ///< of a text; of an error what Redis says
  std::int64_t integer = 0;
  std::vector<Reply> list;

  [[nodiscard]] bool isError() const { return kind == Kind::error; }
};

/// For threads with connections: hiredis writes in a way that would end the process when the other
/// end has gone.
void ignoreBrokenPipes();

class Connection {
 public:
  /// Connects and makes itself known; Redis answers a first question. Throws Away.
  Connection(const Url& url, Duration limit);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// All at once; the replies in order, errors of single commands among them. Throws Away.
  std::vector<Reply> run(const std::vector<Command>& commands, Duration limit);

  /// Sends without waiting for a reply. Throws Away.
  void send(const Command& command, Duration limit);
  /// The next reply or message; nothing when none came in time, or when there is something to read
  /// at `wake` (a file descriptor). Throws Away.
  std::optional<Reply> next(Duration limit, int wake = -1);

 private:
  using Instant = std::chrono::steady_clock::time_point;

  void introduce(const Url& url, Duration limit);
  void append(const Command& command);
  void flush(Instant until);
  [[nodiscard]] bool waitReadable(Instant until, int wake) const;
  [[noreturn]] void fail(const std::string& what) const;

  struct Free {
    void operator()(redisContext* context) const;
  };
  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace tipflow::redis
