// Those outside: viewers who tip and ask again, anchors who withdraw, operators who set rates.
#pragma once

#include "world.h"

namespace tipflow::sim {

class Clients {
 public:
  explicit Clients(World& world) : world_(world) {}
  void tip(const Op& op);
  void withdraw(const Op& op);
  void setRate(const Op& op);
  /// Clients that have not heard all they wait for.
  [[nodiscard]] int waiting() const { return waiting_; }

 private:
  Task<> tipUntilKnown(Op op);
  Task<> withdrawUntilKnown(Op op);
  Task<> change(Op op);
  Duration backOff(int attempt);
  [[nodiscard]] audit::TipContent contentOf(const Op& op) const;

  World& world_;
  int waiting_ = 0;
};

}  // namespace tipflow::sim
