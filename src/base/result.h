// How a use case says no. A rejection is a value with a code from api/errors.yaml; outages and
// broken invariants are exceptions and never travel this way.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error_code.h"  // generated from api/errors.yaml

namespace tipflow {

/// What is wrong with one field of a request. `field` is a path such as `tips[3].amount`.
struct FieldError {
  std::string field;
  ErrorCode code;
  std::string detail;
  friend bool operator==(const FieldError&, const FieldError&) = default;
};

struct Rejection {
  ErrorCode code;
  std::string detail = {};
  std::vector<FieldError> errors = {};
  int retryAfterSeconds = 1;  ///< where the status says to come again
};

/// A value, or why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Rejection rejection) : state_(std::move(rejection)) {}
  Result(ErrorCode code) : state_(Rejection{code}) {}

  explicit operator bool() const { return std::holds_alternative<T>(state_); }
  T& operator*() & { return std::get<T>(state_); }
  const T& operator*() const& { return std::get<T>(state_); }
  T&& operator*() && { return std::get<T>(std::move(state_)); }
  T* operator->() { return &std::get<T>(state_); }
  const T* operator->() const { return &std::get<T>(state_); }
  [[nodiscard]] const Rejection& error() const { return std::get<Rejection>(state_); }

 private:
  std::variant<T, Rejection> state_;
};

}  // namespace tipflow
