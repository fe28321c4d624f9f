// What is counted in a run. A stream counts; tallies of several streams, or seconds, add up.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/histogram.h"

namespace tipflow::load {

struct Tally {
  std::uint64_t sent = 0;     ///< requests, with repeats and tries again
  std::uint64_t late = 0;     ///< starts made more than 10 ms after their intended instant
  std::uint64_t dropped = 0;  ///< starts that were never made, being too late

  // How a tip, or the repeat of one, ended.
  std::uint64_t created = 0;
  std::uint64_t exists = 0;
  std::uint64_t conflicts = 0;    ///< 422 trace_id_conflict: never right, since no id is used twice
  std::uint64_t rejected = 0;     ///< any other 4xx
  std::uint64_t unavailable = 0;  ///< refused (503) until it was given up; not written
  std::uint64_t unknown = 0;      ///< given up without having learnt whether it is written

  // What happened on the way.
  std::uint64_t refusals = 0;  ///< 503 and 429, tried again later
  std::uint64_t broken = 0;    ///< connections that broke under a request
  /// Requests that met a connection which the server was just closing: sent again at once, as HTTP
  /// clients do. No errors.
  std::uint64_t stale = 0;
  std::uint64_t timedOut = 0;      ///< requests without an answer in time
  std::uint64_t serverErrors = 0;  ///< 5xx that leave the outcome open
  std::uint64_t resolved = 0;  ///< tips whose outcome was unknown, and became known by asking again
  std::uint64_t doubtful = 0;  ///< not acknowledged, and yet some try may have been written

  std::map<std::string, std::uint64_t> rejections;  ///< tips, by code
  std::map<int, std::uint64_t> statuses;            ///< answers

  // Acknowledged in the measured time, between the warm-up and the end.
  std::uint64_t measured = 0;
  std::uint64_t measuredRepeats = 0;  ///< of them, second sendings

  /// From the intended start, over all tries, to the answer; of acknowledged tips whose start was
  /// intended after the warm-up. A quick refusal must not flatter the percentiles.
  Histogram latency;
  /// Of the same tips, from the last sending to its answer: what a closed loop would have shown.
  Histogram service;

  void add(const Tally& other);
  [[nodiscard]] std::uint64_t acknowledged() const { return created + exists; }
  /// Tips, or repeats, that ended otherwise.
  [[nodiscard]] std::uint64_t failed() const {
    return conflicts + rejected + unavailable + unknown;
  }
  /// Requests that were not answered, or with anything but 2xx.
  [[nodiscard]] std::uint64_t errors() const;
};

}  // namespace tipflow::load
