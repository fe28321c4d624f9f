// What one node sends about one room. Thousands of viewers get the same bytes: each frame is read
// once, and only compared for the others. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tipflow::load::watch {

/// A tip of ours, as a frame shows it.
struct SeenTip {
  std::uint32_t number = 0;  ///< as `tipMessage` says
  std::int64_t amountFen = 0;
};

/// A text frame, read.
struct RoomFrame {
  enum class Kind { hello, events, bye, other };
  Kind kind = Kind::other;
  std::string epoch = {};   ///< of a hello
  std::int64_t offset = 0;  ///< of the last event; of a hello, of what came before
  std::int64_t events = 0;
  std::vector<SeenTip> tips = {};  ///< ours
  std::int64_t amountFen = 0;      ///< of `tips`
  std::string code = {};           ///< of a bye
  std::optional<int> retryAfterSeconds = {};
};

/// The message of the tip with that number, by which a frame's tip is known for ours whatever other
/// tips there are.
std::string tipMessage(std::uint32_t number);
std::optional<std::uint32_t> tipNumber(std::string_view message);

/// nullopt for what is not JSON of a known shape.
std::optional<RoomFrame> readRoomFrame(std::string_view text);

class Feed {
 public:
  using Place = std::uint64_t;

  /// The frame with this text. `place`: where this viewer's next frame is expected; is moved on.
  /// nullptr when it cannot be read. What is returned is kept until `kKept` others have come.
  const RoomFrame* take(std::string_view text, Place& place);
  /// Where a viewer begins who has heard nothing yet.
  [[nodiscard]] Place end() const { return first_ + kept_.size(); }
  /// Frames that had to be read.
  [[nodiscard]] std::uint64_t read() const { return read_; }

 private:
  static constexpr std::size_t kKept = 64;
  struct Kept {
    std::string text;
    RoomFrame frame;
  };
  std::deque<Kept> kept_;
  Place first_ = 0;  // place of kept_.front()
  RoomFrame own_;    // of the last one that is for one viewer alone
  std::uint64_t read_ = 0;
};

/// Whether what one viewer sees is whole: offsets count every event of a room.
class Continuity {
 public:
  struct Verdict {
    bool gap = false;     ///< events are missing
    bool repeat = false;  ///< events came again
    bool anew = false;    ///< a fresh start that does not go on where the viewer was
  };
  Verdict hear(const RoomFrame& frame, std::uint32_t epoch);

  [[nodiscard]] std::int64_t offset() const { return offset_; }
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }
  /// Whether it saw every event from its beginning on, once.
  [[nodiscard]] bool whole() const { return begun_ && whole_; }
  [[nodiscard]] bool begun() const { return begun_; }

 private:
  std::int64_t offset_ = 0;
  std::uint32_t epoch_ = 0;
  bool begun_ = false;
  bool whole_ = true;
};

}  // namespace tipflow::load::watch
