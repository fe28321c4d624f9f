#include "load/json_writer.h"

#include <fmt/format.h>

#include <cmath>

namespace tipflow::load {

void JsonWriter::comma() {
  if (!first_) text_ += ',';
  first_ = false;
}

void JsonWriter::open(char bracket) {
  comma();
  text_ += bracket;
  first_ = true;
}

void JsonWriter::close(char bracket) {
  text_ += bracket;
  first_ = false;
}

void JsonWriter::name(std::string_view name) {
  value(name);
  text_ += ':';
  first_ = true;
}

void JsonWriter::value(std::string_view text) {
  comma();
  text_ += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      text_ += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      text_ += c;
    }
  }
  text_ += '"';
}

void JsonWriter::value(bool yes) {
  comma();
  text_ += yes ? "true" : "false";
}

void JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  comma();
  auto digits = fmt::format("{:.4f}", number);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  text_ += digits == "-0" ? "0" : digits;
}

void JsonWriter::value(std::int64_t number) {
  comma();
  text_ += std::to_string(number);
}

void JsonWriter::value(std::uint64_t number) {
  comma();
  text_ += std::to_string(number);
}

void JsonWriter::null() {
  comma();
  text_ += "null";
}

}  // namespace tipflow::load
