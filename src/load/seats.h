// Who sends: the chooser's places, and the people who sit there. Tokens end, a stream may run for
// longer: registered people log in again, another guest takes a guest's seat.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "load/population.h"
#include "load/source.h"

namespace tipflow::load {

struct Passwords {
  std::string people;  ///< of registered viewers
  std::string operator_;
};

class Seats {
 public:
  /// Senders before `firstRenewed` send nothing themselves: their tokens may end.
  Seats(Url url, Passwords passwords, std::vector<Sender> senders, std::size_t firstRenewed,
        const Clock& clock);

  /// The sender at a seat, as a place in senders().
  [[nodiscard]] std::uint32_t at(std::uint32_t seat) const { return seats_[seat].sender; }
  /// Everyone who ever sat here; places do not change.
  [[nodiscard]] const std::vector<Sender>& senders() const { return senders_; }
  [[nodiscard]] const Sender& sender(std::uint32_t place) const { return senders_[place]; }

  /// Looks, once a second, whose token ends soon.
  void look(MonotonicUs now);
  [[nodiscard]] bool due() const { return !due_.empty(); }
  /// Appends the request by which a seat is renewed, and says which seat; nullopt when none is due.
  std::optional<std::uint32_t> next(std::string& out);
  void answered(std::uint32_t seat, const Answer& answer);
  void lost(std::uint32_t seat);
  /// The token of `sender` was refused.
  void renewSoon(std::uint32_t sender);
  [[nodiscard]] bool underWay() const { return inFlight_ > 0; }

 private:
  struct Seat {
    std::uint32_t sender = 0;
    Time renewAt;
    bool renewing = false;
  };

  Url url_;
  Passwords passwords_;
  std::vector<Sender> senders_;
  std::vector<Seat> seats_;
  std::size_t firstRenewed_;
  const Clock& clock_;
  std::deque<std::uint32_t> due_;
  std::size_t inFlight_ = 0;
  MonotonicUs nextLookUs_ = 0;
};

}  // namespace tipflow::load
