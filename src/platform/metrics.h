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

/// Hits and misses of one of the node's memories; counts nothing where there are no counters.
struct CacheCounters {
  prometheus::Counter* hits = nullptr;
  prometheus::Counter* misses = nullptr;

  void hit() const {
    if (hits != nullptr) hits->Increment();
  }
  void miss() const {
    if (misses != nullptr) misses->Increment();
  }
};

class Metrics {
 public:
  prometheus::Counter& counter(const std::string& name, const std::string& help,
                               const Labels& labels = {});
  prometheus::Gauge& gauge(const std::string& name, const std::string& help,
                           const Labels& labels = {});
  prometheus::Histogram& histogram(const std::string& name, const std::string& help,
                                   const std::vector<double>& bounds, const Labels& labels = {});
  /// `tipflow_cache_hits_total` and `tipflow_cache_misses_total` of one cache.
  CacheCounters cache(const std::string& name);
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
