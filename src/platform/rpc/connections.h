// Kept connections to other nodes: each carries one request at a time, so that a slow answer holds
// up nothing else.
#pragma once

#include <drogon/HttpClient.h>
#include <trantor/net/EventLoopThread.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"

namespace tipflow::rpc {

/// A request as it is sent.
struct Wire {
  drogon::HttpMethod method = drogon::Get;
  std::string target;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  Duration timeout{};
};

/// How a request ended.
struct Outcome {
  enum class Kind {
    answered,
    notSent,  ///< no connection: certainly not done
    lost,     ///< sent, and no answer came
  };
  Kind kind = Kind::notSent;
  int status = 0;
  std::string body = {};
};

/// Thread-safe.
class Connections {
 public:
  Connections();
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// Sends to `host:port`; `done` runs on the connections' own event loop and must be quick.
  void send(const std::string& address, Wire wire, std::function<void(Outcome)> done);

 private:
  drogon::HttpClientPtr take(const std::string& address);
  void giveBack(const std::string& address, drogon::HttpClientPtr client);

  std::mutex mutex_;
  std::map<std::string, std::vector<drogon::HttpClientPtr>> idle_;
  bool leaving_ = false;             ///< none is kept any more
  trantor::EventLoopThread thread_;  // ends first: its answers come back to what is above
};

}  // namespace tipflow::rpc
