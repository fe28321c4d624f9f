// Spans as OpenTelemetry has them (OTLP over HTTP, JSON encoding), for collectors of others.
#pragma once

#include <string>
#include <string_view>

#include "platform/http/poster.h"
#include "platform/records.h"

namespace tipflow {

/// The body of an export request (opentelemetry-proto, ExportTraceServiceRequest) with the spans
/// among `lines`, which are as `log` writes them; empty when there is none.
std::string otlpBody(std::string_view lines);

class OtlpSink final : public RecordSink {
 public:
  /// Throws std::invalid_argument for a URL it cannot use.
  explicit OtlpSink(const std::string& url) : poster_(url) {}
  void keep(std::string_view lines) override;

 private:
  http::Poster poster_;
};

}  // namespace tipflow
