// What may be said in a room, and which tips belong together. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "room/model.h"

namespace tipflow::room {

/// Judges words. Another one takes this one's place by being handed to the gateway.
class WordFilter {
 public:
  virtual ~WordFilter() = default;
  /// The text as others may read it; empty when it may not be said at all.
  [[nodiscard]] virtual std::string passed(std::string text) const = 0;
};

/// Puts `*` for each character of a listed word, wherever it stands and, in ASCII, in either case.
class ListedWords final : public WordFilter {
 public:
  /// `words`: separated by commas.
  explicit ListedWords(std::string_view words);
  [[nodiscard]] std::string passed(std::string text) const override;

 private:
  std::vector<std::string> words_;
};

/// The text of a chat message as it is shown, or why it is not. `longest`: in characters.
[[nodiscard]] Result<std::string> checkedChat(std::string_view text, std::size_t longest,
                                              const WordFilter& filter);

struct Combo {
  TipId first;             ///< names it
  std::int64_t count = 0;  ///< gifts so far
};

/// Tips of one viewer with one gift, each within a window after the last, count together when
/// shown.
class Combos {
 public:
  explicit Combos(Duration window) : window_(window) {}

  /// The combo that this tip continues; nullopt when it stands alone. In the order of acceptance.
  std::optional<Combo> add(const TipNews& tip);
  /// Drops those that no tip can continue any more.
  void forgetBefore(Time now);
  [[nodiscard]] std::size_t size() const { return open_.size(); }

 private:
  struct Key {
    ViewerId viewer;
    std::int64_t gift;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::int64_t>{}(key.viewer.value * 31 + key.gift);
    }
  };
  struct Open {
    Combo combo;
    Time last;
  };

  Duration window_;
  std::unordered_map<Key, Open, Hash> open_;
};

}  // namespace tipflow::room
