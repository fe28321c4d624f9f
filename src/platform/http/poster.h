// Sends a body to another server and waits for its answer; for threads of their own, never for an
// event loop.
#pragma once

#include <drogon/HttpClient.h>
#include <trantor/net/EventLoopThread.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace tipflow::http {

/// The other side was not reached, did not answer in time, or did not take what was sent.
class NotTaken : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Used by one thread at a time.
class Poster {
 public:
  /// `url`: `http://host:port`, with a path or without; throws std::invalid_argument for others.
  explicit Poster(const std::string& url);

  struct Body {
    std::string text;
    std::string type;
    std::vector<std::pair<std::string, std::string>> headers = {};
  };
  /// Throws NotTaken unless the answer is 2xx.
  void post(Body body);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  trantor::EventLoopThread thread_;
  std::string path_;
  drogon::HttpClientPtr client_;
};

}  // namespace tipflow::http
