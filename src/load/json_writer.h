// Writes JSON in the order it is told, numbers as people would write them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tipflow::load {

class JsonWriter {
 public:
  void open(char bracket);
  void close(char bracket);
  void name(std::string_view name);

  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(bool yes);
  /// At most four digits after the point; null when it is not finite.
  void value(double number);
  void value(std::int64_t number);
  void value(std::uint64_t number);
  void value(int number) { value(std::int64_t{number}); }
  void null();
  template <class T>
  void value(const std::optional<T>& maybe) {
    if (maybe) {
      value(*maybe);
    } else {
      null();
    }
  }

  template <class T>
  void member(std::string_view memberName, const T& memberValue) {
    name(memberName);
    value(memberValue);
  }
  void open(std::string_view memberName, char bracket) {
    name(memberName);
    open(bracket);
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void comma();

  std::string text_;
  bool first_ = true;
};

}  // namespace tipflow::load
