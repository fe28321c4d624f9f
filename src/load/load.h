// `tipflow load`: simulated anchors, viewers and guests, and tips from them over HTTP at a given
// rate, through the public API alone. At the end: counts, latencies, and whether every tip that was
// acknowledged is there.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace tipflow::load {

/// How the acknowledged tips are checked at the end.
enum class Verify {
  automatic,  ///< all up to 200,000, beyond that a sample; and the sums
  all,        ///< each is looked up; and the sums
  sample,     ///< 20,000 are looked up; and the sums
  sums,       ///< only the sums, and tips whose outcome is in doubt
  none,
};

struct LoadOptions {
  std::string url = "http://127.0.0.1:8080";  ///< http://host:port

  double rate = 50;               ///< tips/s, over all threads; 0: as fast as the connections allow
  std::string stages;             ///< as parseStages reads them; in place of `rate` and `seconds`
  std::optional<double> seconds;  ///< measured time; 0: until a signal. 10, or as `tips` needs
  double warmupSeconds = 0;  ///< before that; checked, not measured. Of stages: their beginning
  std::optional<std::uint64_t> tips;  ///< ends when so many were started
  std::optional<int> batch;           ///< tips to a request of POST /tips/batch
  int connections = 16;               ///< over all threads
  int threads = 1;
  double dropAfterSeconds = 10;  ///< a start this late is not made, and counted

  int rooms = 10;
  int viewers = 200;
  double guestFraction = 0.5;  ///< part of the viewers that are guests
  /// Hashing a password costs a node some 50 ms of a core: viewers beyond this many are guests too.
  int registeredMost = 50;
  double zipf = 1;         ///< exponent over rooms; 0: all alike
  double zipfViewers = 0;  ///< the same over viewers
  double taste = 0;        ///< part of the tips that go to one of two rooms a viewer likes
  double duplicates = 0;   ///< part of the requests that is sent a second time, same traceIds
  double duplicatesWithinSeconds = 0;  ///< the second one follows within this; 0: at once
  std::uint64_t seed = 1;
  bool randomTraceIds = false;  ///< else UUIDv7; random ones cost a unique index more

  bool sign = true;
  /// Of the simulated accounts. Whoever knows it can act as them: choose another one for a node
  /// that strangers reach.
  std::string password = "tipflow-simulated-people";
  std::string operatorName = "admin";
  std::string operatorPassword;  ///< empty: nobody sends batches or reads the books

  Verify verify = Verify::automatic;
  bool alone = false;  ///< nobody else tips meanwhile: sums that are too large are a fault too
  /// How long a node that is away is waited for: at the start (else 10 s), and at the end for open
  /// outcomes (else 60 s).
  std::optional<double> waitForNodeSeconds;

  bool quiet = false;  ///< no progress, only the report
  std::string jsonFile;
  std::string htmlFile;
  std::string recordFile;
  std::vector<std::string> thresholds;  ///< as parseThreshold reads them
};

/// Exit codes of runLoad.
inline constexpr int kLoadFine = 0;
/// An acknowledged tip is missing, different or could not be looked up, sums disagree, an outcome
/// stayed unknown, a traceId of ours named something else, or no tip was acknowledged at all.
inline constexpr int kLoadBroken = 1;
/// It could not start; `out` says why and what to do.
inline constexpr int kLoadNotStarted = 2;
/// The books are right, a threshold does not hold.
inline constexpr int kLoadThreshold = 3;

/// Runs until the time is over. A first SIGINT or SIGTERM ends the stream, a second one everything.
int runLoad(const LoadOptions& options, std::ostream& out);

}  // namespace tipflow::load
