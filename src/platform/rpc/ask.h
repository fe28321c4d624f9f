// Questions to another role whose answers are JSON: asked, checked and read in one go. A node that
// answers anything else than what was asked for counts as one that fails.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "platform/json.h"
#include "platform/rpc/caller.h"

namespace tipflow::rpc {

/// The body of a 200 as a T; nullopt for any other answer.
template <class T>
std::optional<T> readAnswer(const Answer& answer) {
  if (answer.status != 200) return std::nullopt;
  try {
    return json::readBody<T>(answer.body);
  } catch (const BadRequest&) {
    return std::nullopt;
  }
}

/// Throws Away or Unknown.
template <class T>
drogon::Task<T> ask(Caller& caller, Request request) {
  std::optional<T> value;
  request.fits = [&value](const Answer& answer) {
    value = readAnswer<T>(answer);
    return value.has_value();
  };
  (void)co_await caller.call(std::move(request));
  co_return std::move(*value);
}

/// The same for threads of their own; blocks.
template <class T>
T askBlocking(Caller& caller, Request request) {
  std::optional<T> value;
  request.fits = [&value](const Answer& answer) {
    value = readAnswer<T>(answer);
    return value.has_value();
  };
  (void)caller.callBlocking(std::move(request));
  return std::move(*value);
}

}  // namespace tipflow::rpc
