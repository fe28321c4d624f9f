// JSON to described structs, with an error for each field at fault, and back.
// A struct's shape is declared once with Boost.Describe; its bounds are in its types (Ranged,
// Text).
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11.hpp>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/enums.h"
#include "base/ids.h"
#include "base/money.h"
#include "base/result.h"
#include "base/text.h"
#include "base/time.h"
#include "base/trace_id.h"

namespace tipflow {

/// An integer that must lie in [Least, Most].
template <std::int64_t Least, std::int64_t Most>
struct Ranged {
  std::int64_t value = 0;
};

/// Text of Least to Most characters (code points), without control characters, trimmed of blanks:
/// what has a Least of 1 is never blank.
template <std::size_t Least, std::size_t Most>
struct Text {
  std::string value;
};

/// A secret: Least to Most bytes, taken as it is.
template <std::size_t Least, std::size_t Most>
struct Secret {
  std::string value;
};

/// The request is not what it should be; the boundary turns it into a problem document.
class BadRequest : public std::exception {
 public:
  explicit BadRequest(Rejection rejection) : rejection_(std::move(rejection)) {}
  BadRequest(std::string field, ErrorCode code, std::string detail)
      : rejection_{ErrorCode::invalid_request, {}, {{std::move(field), code, std::move(detail)}}} {}
  [[nodiscard]] const Rejection& rejection() const { return rejection_; }
  [[nodiscard]] const char* what() const noexcept override { return "bad request"; }

 private:
  Rejection rejection_;
};

namespace json {

/// Collects what is wrong, up to a bound: a body of a thousand faulty tips needs no thousand
/// answers.
class Faults {
 public:
  void add(const std::string& field, ErrorCode code, std::string detail) {
    if (errors_.size() < kMost) errors_.push_back({field, code, std::move(detail)});
  }
  [[nodiscard]] bool none() const { return errors_.empty(); }
  [[nodiscard]] std::vector<FieldError> take() { return std::move(errors_); }

 private:
  static constexpr std::size_t kMost = 20;
  std::vector<FieldError> errors_;
};

/// Number of code points of valid UTF-8.
std::size_t codePoints(std::string_view utf8);
/// At most 64 bytes of `utf8`, cut between characters.
std::string_view shortened(std::string_view utf8);
/// Digits beyond this are read as a double; they are out of range, not of another type.
inline constexpr double kTwoTo63 = 9'223'372'036'854'775'808.0;

template <class T>
constexpr bool isDescribed = boost::describe::has_describe_members<T>::value;

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <std::int64_t Least, std::int64_t Most>
void read(const boost::json::value& value, const std::string& path, Ranged<Least, Most>& out,
          Faults& faults) {
  const auto range = [&] {
    faults.add(path, ErrorCode::out_of_range, fmt::format("must be from {} to {}", Least, Most));
  };
  if (const auto* number = value.if_int64()) {
    if (*number < Least || *number > Most) return range();
    out.value = *number;
  } else if (value.is_uint64() || (value.is_double() && std::abs(value.get_double()) >= kTwoTo63)) {
    range();
  } else if (value.is_double()) {
    faults.add(path, ErrorCode::wrong_type,
               "must be an integer, written without point or exponent");
  } else {
    faults.add(path, ErrorCode::wrong_type, "must be an integer");
  }
}

template <std::size_t Least, std::size_t Most>
void read(const boost::json::value& value, const std::string& path, Text<Least, Most>& out,
          Faults& faults) {
  const auto* text = value.if_string();
  if (text == nullptr) return faults.add(path, ErrorCode::wrong_type, "must be a string");
  const auto content = trimmed({text->data(), text->size()});
  const auto length = codePoints(content);
  if (length < Least || length > Most) {
    return faults.add(path, ErrorCode::out_of_range,
                      fmt::format("must have {} to {} characters", Least, Most));
  }
  if (hasControl(content)) {
    return faults.add(path, ErrorCode::invalid_format, "must not hold control characters");
  }
  out.value = content;
}

template <std::size_t Least, std::size_t Most>
void read(const boost::json::value& value, const std::string& path, Secret<Least, Most>& out,
          Faults& faults) {
  const auto* text = value.if_string();
  if (text == nullptr) return faults.add(path, ErrorCode::wrong_type, "must be a string");
  if (text->size() < Least || text->size() > Most) {
    return faults.add(path, ErrorCode::out_of_range,
                      fmt::format("must have {} to {} bytes", Least, Most));
  }
  out.value.assign(text->data(), text->size());
}

inline void read(const boost::json::value& value, const std::string& path, bool& out,
                 Faults& faults) {
  if (const auto* flag = value.if_bool()) {
    out = *flag;
  } else {
    faults.add(path, ErrorCode::wrong_type, "must be true or false");
  }
}

inline void read(const boost::json::value& value, const std::string& path, TraceId& out,
                 Faults& faults) {
  const auto* text = value.if_string();
  if (text == nullptr) return faults.add(path, ErrorCode::wrong_type, "must be a string");
  const auto id = TraceId::parse({text->data(), text->size()});
  if (!id) return faults.add(path, ErrorCode::invalid_format, "must be a UUID or 32 hex digits");
  out = *id;
}

inline void read(const boost::json::value& value, const std::string& path, Time& out,
                 Faults& faults) {
  const auto* text = value.if_string();
  if (text == nullptr) return faults.add(path, ErrorCode::wrong_type, "must be a string");
  const auto time = parseTime({text->data(), text->size()});
  if (!time) {
    return faults.add(path, ErrorCode::invalid_format,
                      "must be RFC 3339, such as 2026-01-31T08:30:00.000Z");
  }
  out = *time;
}

template <class E>
  requires std::is_enum_v<E>
void read(const boost::json::value& value, const std::string& path, E& out, Faults& faults) {
  const auto* text = value.if_string();
  const auto found =
      text != nullptr ? fromWord<E>({text->data(), text->size()}) : std::optional<E>{};
  if (found) {
    out = *found;
    return;
  }
  std::string words;
  for (const auto& [name, _] : EnumWords<E>::values) {
    words += words.empty() ? "" : ", ";
    words += name;
  }
  faults.add(path, text != nullptr ? ErrorCode::invalid_format : ErrorCode::wrong_type,
             "must be one of: " + words);
}

template <class T>
void readMembers(const boost::json::object& object, const std::string& path, T& out,
                 Faults& faults);

template <class T>
  requires isDescribed<T>
void read(const boost::json::value& value, const std::string& path, T& out, Faults& faults) {
  if (const auto* object = value.if_object()) {
    readMembers(*object, path, out, faults);
  } else {
    faults.add(path, ErrorCode::wrong_type, "must be an object");
  }
}

/// A list of Least to Most elements.
template <class T, std::size_t Least, std::size_t Most>
struct List {
  std::vector<T> items;
};

template <class T, std::size_t Least, std::size_t Most>
void read(const boost::json::value& value, const std::string& path, List<T, Least, Most>& out,
          Faults& faults) {
  const auto* array = value.if_array();
  if (array == nullptr) return faults.add(path, ErrorCode::wrong_type, "must be a list");
  if (array->size() < Least || array->size() > Most) {
    return faults.add(path, ErrorCode::out_of_range,
                      fmt::format("must have {} to {} elements", Least, Most));
  }
  out.items.resize(array->size());
  for (std::size_t i = 0; i < array->size(); ++i) {
    // The path is spelt out only for elements that are looked at again because of a fault.
    Faults probe;
    read((*array)[i], {}, out.items[i], probe);
    if (!probe.none()) read((*array)[i], fmt::format("{}[{}]", path, i), out.items[i], faults);
  }
}

template <class T>
void readMembers(const boost::json::object& object, const std::string& path, T& out,
                 Faults& faults) {
  using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
  std::size_t known = 0;
  const auto pathOf = [&](std::string_view name) {
    return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
  };
  boost::mp11::mp_for_each<Members>([&](auto member) {
    auto& field = out.*member.pointer;
    using Field = std::remove_reference_t<decltype(field)>;
    const auto* value = object.if_contains(member.name);
    if (value != nullptr) ++known;
    if constexpr (IsOptional<Field>::value) {
      if (value != nullptr && !value->is_null())
        read(*value, pathOf(member.name), field.emplace(), faults);
    } else if (value == nullptr) {
      faults.add(pathOf(member.name), ErrorCode::required, "is required");
    } else {
      read(*value, pathOf(member.name), field, faults);
    }
  });
  if (known == object.size()) return;
  for (const auto& [name, _] : object) {
    bool found = false;
    boost::mp11::mp_for_each<Members>([&](auto member) {
      found = found || std::string_view(member.name) == std::string_view(name);
    });
    if (!found) {
      faults.add(pathOf(shortened({name.data(), name.size()})), ErrorCode::unknown_field,
                 "is not known here");
    }
  }
}

/// Parses `text`; throws BadRequest (malformed_json). Strict: UTF-8, bounded depth; of repeated
/// names the last counts.
boost::json::value parse(std::string_view text, boost::json::storage_ptr storage);

/// A body as `T`; throws BadRequest with every field at fault.
template <class T>
T readBody(std::string_view text) {
  unsigned char buffer[4096];
  boost::json::monotonic_resource memory(buffer, sizeof buffer);
  const auto value = parse(text, &memory);
  T out{};
  Faults faults;
  if (const auto* object = value.if_object()) {
    readMembers(*object, {}, out, faults);
  } else {
    throw BadRequest({ErrorCode::invalid_request, "the body must be a JSON object"});
  }
  if (!faults.none()) throw BadRequest({ErrorCode::invalid_request, {}, faults.take()});
  return out;
}

// Writing
// ------------------------------------------------------------------------------------------

inline void write(std::string& out, std::string_view v) { appendJsonString(out, v); }
inline void write(std::string& out, const std::string& v) { appendJsonString(out, v); }
inline void write(std::string& out, Time v) {
  out += '"';
  out += formatTime(v);
  out += '"';
}
inline void write(std::string& out, const TraceId& v) {
  out += '"';
  out += v.hex();
  out += '"';
}
template <class T>
  requires std::is_arithmetic_v<T>
void write(std::string& out, T v) {
  if constexpr (std::is_same_v<T, bool>) {
    out += v ? "true" : "false";
  } else {
    fmt::format_to(std::back_inserter(out), "{}", v);
  }
}
template <class Tag>
void write(std::string& out, Id<Tag> v) {
  write(out, v.value);
}
template <class Tag>
void write(std::string& out, Amount<Tag> v) {
  write(out, v.value);
}
inline void write(std::string& out, BasisPoints v) { write(out, v.value); }
template <std::int64_t Least, std::int64_t Most>
void write(std::string& out, Ranged<Least, Most> v) {
  write(out, v.value);
}
template <std::size_t Least, std::size_t Most>
void write(std::string& out, const Text<Least, Most>& v) {
  write(out, v.value);
}
template <std::size_t Least, std::size_t Most>
void write(std::string& out, const Secret<Least, Most>& v) {
  write(out, v.value);
}
template <class E>
  requires std::is_enum_v<E>
void write(std::string& out, E v) {
  out += '"';
  out += word(v);
  out += '"';
}
template <class T>
  requires isDescribed<T>
void write(std::string& out, const T& v);
template <class T>
void write(std::string& out, const std::vector<T>& v);
template <class T, std::size_t Least, std::size_t Most>
void write(std::string& out, const List<T, Least, Most>& v) {
  write(out, v.items);
}
template <class T>
void write(std::string& out, const std::optional<T>& v) {
  if (v) {
    write(out, *v);
  } else {
    out += "null";
  }
}
template <class T>
void write(std::string& out, const std::vector<T>& v) {
  out += '[';
  bool first = true;
  for (const auto& item : v) {
    if (!first) out += ',';
    first = false;
    write(out, item);
  }
  out += ']';
}
template <class T>
  requires isDescribed<T>
void write(std::string& out, const T& v) {
  out += '{';
  bool first = true;
  boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>(
      [&](auto member) {
        out += first ? "\"" : ",\"";
        first = false;
        out += member.name;
        out += "\":";
        write(out, v.*member.pointer);
      });
  out += '}';
}

template <class T>
std::string toText(const T& v) {
  std::string out;
  write(out, v);
  return out;
}

}  // namespace json
}  // namespace tipflow
