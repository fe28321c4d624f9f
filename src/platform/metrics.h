// Metrics in Prometheus' sense, kept by prometheus-cpp. Names are declared where they are used;
// labels are bounded sets only.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace tipflow {

using Labels = std::map<std::string, std::string>;

class Metrics {
 public:
  prometheus::Counter& counter(const std::string& name, const std::string& help,
                               const Labels& labels = {});
  prometheus::Gauge& gauge(const std::string& name, const std::string& help,
                           const Labels& labels = {});
  prometheus::Histogram& histogram(const std::string& name, const std::string& help,
                                   const std::vector<double>& bounds, const Labels& labels = {});
  /// Called before each collection, to bring gauges up to date.
  void beforeCollect(std::function<void()> update);

  /// Text exposition format 0.0.4.
  [[nodiscard]] std::string text();

 private:
  prometheus::Registry registry_;
  std::mutex mutex_;
  std::vector<std::function<void()>> updates_;
};

/// Buckets for times of requests, commits and calls, in seconds.
const std::vector<double>& latencyBounds();

}  // namespace tipflow
