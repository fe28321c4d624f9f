// The console role as nodes without it see it: which networks are blocked, which settings were
// changed, and who keeps alerts of what they watch.
#pragma once

#include <memory>

#include "platform/condition_sink.h"
#include "platform/http/address.h"
#include "platform/rpc/caller.h"
#include "platform/runtime_settings.h"

namespace tipflow::console {

/// Each throws db::Error when the role cannot be asked: what is known goes on to hold.
class RemoteConsole final : public ConditionSink {
 public:
  explicit RemoteConsole(rpc::Caller& caller) : caller_(caller) {}

  drogon::Task<std::shared_ptr<const NetworkSet>> blockedNetworks();
  drogon::Task<SettingTexts> settings();
  drogon::Task<> take(ConditionReport report) override;

 private:
  rpc::Caller& caller_;
};

}  // namespace tipflow::console
