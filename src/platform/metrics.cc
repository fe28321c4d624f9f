#include "platform/metrics.h"

#include <prometheus/text_serializer.h>

namespace tipflow {

prometheus::Counter& Metrics::counter(const std::string& name, const std::string& help,
                                      const Labels& labels) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(labels);
}

prometheus::Gauge& Metrics::gauge(const std::string& name, const std::string& help,
                                  const Labels& labels) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(labels);
}

prometheus::Histogram& Metrics::histogram(const std::string& name, const std::string& help,
                                          const std::vector<double>& bounds, const Labels& labels) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(labels, bounds);
}

CacheCounters Metrics::cache(const std::string& name) {
  const Labels labels{{"cache", name}};
  return {&counter("tipflow_cache_hits_total", "Look-ups answered from memory.", labels),
          &counter("tipflow_cache_misses_total", "Look-ups that memory could not answer.", labels)};
}

void Metrics::beforeCollect(std::function<void()> update) {
  const std::lock_guard lock(mutex_);
  updates_.push_back(std::move(update));
}

std::string Metrics::text() {
  const std::lock_guard lock(mutex_);
  for (const auto& update : updates_) update();
  return prometheus::TextSerializer().Serialize(registry_.Collect());
}

const std::vector<double>& latencyBounds() {
  static const std::vector<double> bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                          0.1,    0.25,  0.5,    1,     2.5,  5,     10};
  return bounds;
}

}  // namespace tipflow
