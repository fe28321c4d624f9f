// `tipflow load watch`: many viewers who watch live rooms over WebSocket, and tips given meanwhile.
// Measures when each tip is seen by each viewer, and checks that nobody misses one, sees one twice,
// or adds up to another sum than was acknowledged. Through the public interface alone.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include <sys/types.h>

namespace tipflow::load::watch {

struct WatchOptions {
  /// http://host:port, one or more nodes; viewers are spread over them, tips go to the first.
  std::vector<std::string> urls;
  /// Where tips and everything but the WebSockets go; empty: the first of `urls`.
  std::string apiUrl;

  int viewers = 1'000;  ///< connections
  int people = 100;     ///< accounts they share
  int rooms = 10;
  double zipf = 1;  ///< exponent over rooms, for viewers and tips; 0: all alike
  double openPerSecond = 2'000;
  double openSeconds = 300;  ///< who is not in by then stays out
  int perProcess = 0;        ///< connections a process; 0: as many as its descriptor limit allows
  /// Connections a source address and node, on loopback; the fewer, the more other ports there are
  /// for a viewer that comes back.
  int perAddress = 4'000;

  double rate = 20;  ///< tips a second; 0: nobody tips
  double seconds = 10;
  double burstRate = 0;  ///< tips a second after those, seen but not timed; 0: none
  double burstSeconds = 10;
  double settleSeconds = 15;    ///< for what is still on its way after the last tip, each time
  double returnsPerSecond = 0;  ///< viewers who drop out and come back, for all together
  double awaySeconds = 2;       ///< for so long

  std::vector<pid_t> servers;  ///< whose memory and processor time is reported
  std::uint64_t seed = 1;
  bool sign = true;
  std::string password = "tipflow-simulated-people";
  std::vector<std::string> thresholds;
  std::string jsonFile;
  bool quiet = false;
};

/// Exit codes as of runLoad (load/load.h). A first SIGINT or SIGTERM ends the tips, a second one
/// everything.
int runWatch(const WatchOptions& options, std::ostream& out);

}  // namespace tipflow::load::watch
