#include "app/record_keeping.h"

#include <stdexcept>

#include "console/client.h"
#include "console/record_routes.h"
#include "platform/http/node_signature.h"
#include "platform/log.h"
#include "platform/otlp.h"

namespace tipflow::app {
namespace {

constexpr std::int64_t kMegabyte = std::int64_t{1024} * 1024;
constexpr std::size_t kStoreLines = 16'384;
constexpr std::size_t kStoreBytes = std::size_t{4} * 1024 * 1024;

std::unique_ptr<console::RecordStore> storeOf(const Config& config, const Clock& clock) {
  console::RecordStoreOptions options;
  options.directory = config.dataDir + "/records";
  options.keepFor = Duration{config.recordsRetentionDays * kUsPerDay};
  options.mostBytes = config.recordsMaxMb * kMegabyte;
  return std::make_unique<console::RecordStore>(std::move(options), clock);
}

std::unique_ptr<RecordSink> remoteOf(const std::string& url, RecordSender sender,
                                     const Clock& clock) {
  auto process = sender.process;
  auto sign = [sender = std::move(sender), &clock](const std::string& path,
                                                   const std::string& body) {
    const auto headers =
        http::signNode(sender.clusterKey, sender.node, "POST", path, body, clock.now());
    return std::vector<std::pair<std::string, std::string>>{
        {"X-Tipflow-Node", headers.node},
        {"X-Tipflow-Timestamp", headers.timestamp},
        {"X-Tipflow-Node-Signature", headers.signature}};
  };
  return std::make_unique<console::RemoteRecords>(url, std::move(process), std::move(sign));
}

/// What `make` makes, with the setting named that it was made from.
template <class Make>
auto madeFrom(const char* setting, Make make) {
  try {
    return make();
  } catch (const std::invalid_argument& wrong) {
    throw ConfigError(std::string(setting) + ": " + wrong.what());
  }
}

}  // namespace

RecordKeeping::RecordKeeping(const Config& config, bool keeps, RecordSender sender,
                             const Clock& clock, Metrics& metrics)
    : config_(config), metrics_(metrics) {
  if (keeps) {
    store_ = storeOf(config, clock);
    intake_ = std::make_unique<console::RecordIntake>(*store_);
    records_ = std::make_unique<console::Records>(*store_);
  } else if (!config.recordsUrl.empty()) {
    remote_ = madeFrom("records.url",
                       [&] { return remoteOf(config.recordsUrl, std::move(sender), clock); });
  }
  if (!config.otlpUrl.empty()) {
    collector_ =
        madeFrom("trace.otlp_url", [&] { return std::make_unique<OtlpSink>(config.otlpUrl); });
  }
  auto& dropped = metrics.counter("tipflow_log_dropped_lines_total",
                                  "Log lines not written: too many waited, or the disk was full.");
  metrics.beforeCollect(
      [&dropped] { dropped.Increment(static_cast<double>(log::dropped()) - dropped.Value()); });
}

RecordKeeping::~RecordKeeping() { stop(Duration{0}); }

void RecordKeeping::addRoutes(http::Router& router) {
  if (!store_) return;
  intake_->addRoutes(router);
  console::addRecordRoutes(router, *records_);
}

void RecordKeeping::start() {
  if (store_) store_->open();
  ShipperLimits limits;
  limits.waitingBytes = static_cast<std::size_t>(config_.recordsBufferMb * kMegabyte);
  if (remote_) shipTo(*remote_, limits, "console");
  if (collector_) shipTo(*collector_, limits, "otlp");
  // No request carries them there, and what comes many at once is written once, as blocks.
  limits.batchLines = kStoreLines;
  limits.batchBytes = kStoreBytes;
  if (store_) shipTo(*store_, limits, "store");
  if (shippers_.empty()) return;
  log::collectWith([this](Lines lines) {
    for (std::size_t i = 1; i < shippers_.size(); ++i) shippers_[i]->offer(lines);
    shippers_.front()->offer(std::move(lines));
  });
}

void RecordKeeping::shipTo(RecordSink& sink, const ShipperLimits& limits, const char* name) {
  shippers_.push_back(std::make_unique<Shipper>(sink, limits, metrics_, name));
}

void RecordKeeping::stop(Duration limit) {
  log::flush();
  log::collectWith({});
  for (const auto& shipper : shippers_) shipper->stop(limit);
}

}  // namespace tipflow::app
