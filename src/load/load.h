// `tipflow load`: simulated anchors, viewers and guests, and tips from them over HTTP at a given
// rate, through the public API alone. At the end: counts, latencies, and whether every tip that was
// acknowledged is there.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

namespace tipflow::load {

struct LoadOptions {
  std::string url = "http://127.0.0.1:8080";  ///< http://host:port
  double rate = 50;          ///< tips/s, over all threads; 0: as fast as the connections allow
  double seconds = 10;       ///< measured time; 0: until SIGINT or SIGTERM
  double warmupSeconds = 0;  ///< tips before that, which are checked but not measured
  int connections = 16;      ///< over all threads
  int threads = 1;
  int rooms = 10;
  int viewers = 200;
  double guestFraction = 0.5;  ///< part of the viewers that are guests
  /// Hashing a password costs a node some 50 ms of a core: viewers beyond this many are guests too.
  int registeredMost = 50;
  double duplicates = 0;  ///< part of the tips that is sent a second time with the same traceId
  std::uint64_t seed = 1;
  bool sign = true;
  bool verify = true;
  bool quiet = false;  ///< no progress, only the report
  /// Of the simulated accounts. Whoever knows it can act as them: choose another one for a node
  /// that strangers reach.
  std::string password = "tipflow-simulated-people";
};

/// Exit codes of runLoad.
inline constexpr int kLoadFine = 0;
/// An acknowledged tip is missing, different or could not be looked up, an outcome stayed unknown,
/// or a traceId of ours named something else.
inline constexpr int kLoadBroken = 1;
/// It could not start; `out` says why and what to do.
inline constexpr int kLoadNotStarted = 2;

/// Runs until the time is over. A first SIGINT or SIGTERM ends the stream, a second one everything.
int runLoad(const LoadOptions& options, std::ostream& out);

}  // namespace tipflow::load
