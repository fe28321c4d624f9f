// What other nodes ask of the console role: to keep their log lines and spans.
#pragma once

#include <functional>
#include <string>

#include "platform/http/poster.h"
#include "platform/records.h"

namespace tipflow::console {

/// The record store of another node. Used by one thread at a time.
class RemoteRecords final : public RecordSink {
 public:
  /// The headers that prove a body comes from a node of the cluster.
  using Sign = std::function<std::vector<std::pair<std::string, std::string>>(
      const std::string& path, const std::string& body)>;

  /// `url`: `http://host:port`. `process`: names this process, for ever.
  RemoteRecords(const std::string& url, std::string process, Sign sign);
  /// A batch whose answer was lost is sent again under its number, and kept once.
  void keep(std::string_view lines) override;

 private:
  http::Poster poster_;
  std::string process_;
  Sign sign_;
  std::int64_t batch_ = 1;
};

}  // namespace tipflow::console
