#include "app/watch_command.h"

#include <string>

namespace tipflow::app {
namespace {

using load::watch::WatchOptions;

constexpr const char* kFooter =
    R"(Opens --viewers WebSockets at --open-rate, spread over rooms and over the nodes of --url. Once
all are in, tips are given for --seconds; each carries its number, so that every frame tells
which tips it shows. Measured is the time from a tip's first sending until each viewer has
read it, and until the last of its room has. At the end every viewer must have seen every tip
of its room once: offsets without gap or repeat, and the sum of amounts that was acknowledged.
Viewers of --returns drop out without a word and come back with since and epoch; what they
missed counts for their sum, not for the times.

A process may open as many files as `ulimit -Hn` says: more viewers are spread over more
processes. On loopback, viewers come from 127.0.0.1, 127.0.0.2 and so on, as a pair of
addresses has only some 28,000 ports. A node that limits what one address may do must be told
otherwise (limits.exempt).

Exit code: 0 all is well; 1 a viewer did not get in, was dropped, missed a tip, saw one twice
or another sum, or a tip was refused; 2 it could not start; 3 a threshold does not hold.)";

void addViewers(CLI::App* watch, WatchOptions& options) {
  watch
      ->add_option("--url", options.urls, "node with the role room; repeatable: viewers are spread")
      ->required();
  watch->add_option("--api", options.apiUrl, "where tips go [the first --url]");
  watch->add_option("--viewers", options.viewers, "connections")->capture_default_str();
  watch->add_option("--people", options.people, "guest accounts that they share")
      ->capture_default_str();
  watch->add_option("--rooms", options.rooms, "simulated anchors, each with an open room")
      ->capture_default_str();
  watch
      ->add_option("--zipf", options.zipf,
                   "the k-th room gets 1/k^ZIPF of the first one's viewers and tips; 0: all alike")
      ->capture_default_str();
  watch->add_option("--open-rate", options.openPerSecond, "connections a second, all together")
      ->capture_default_str();
  watch->add_option("--open-seconds", options.openSeconds, "who is not in by then stays out")
      ->capture_default_str();
  watch
      ->add_option("--per-process", options.perProcess,
                   "connections a process; 0: as many as it may open files")
      ->capture_default_str();
  watch
      ->add_option("--per-address", options.perAddress,
                   "connections of a loopback address to a node")
      ->capture_default_str();
}

void addTips(CLI::App* watch, WatchOptions& options) {
  watch->add_option("--rate", options.rate, "tips a second; 0: nobody tips")->capture_default_str();
  watch->add_option("--seconds", options.seconds, "for so long")->capture_default_str();
  watch
      ->add_option("--burst-rate", options.burstRate,
                   "tips a second when all of those were seen: how much is delivered; not timed")
      ->capture_default_str();
  watch->add_option("--burst-seconds", options.burstSeconds, "for so long")->capture_default_str();
  watch
      ->add_option("--settle", options.settleSeconds,
                   "seconds at most for what is on its way after the last tip")
      ->capture_default_str();
  watch
      ->add_option("--returns", options.returnsPerSecond,
                   "viewers a second who drop out and come back")
      ->capture_default_str();
  watch->add_option("--away", options.awaySeconds, "seconds until they come back")
      ->capture_default_str();
  watch->add_option("--seed", options.seed, "of who is where, and of the tips")
      ->capture_default_str();
  watch->add_option("--password", options.password, "of the simulated anchors");
  watch->add_flag("!--no-sign", options.sign, "send unsigned tips");
}

void addReports(CLI::App* watch, WatchOptions& options) {
  watch->add_option("--pid", options.servers,
                    "process of a server, whose memory and processor time is told; repeatable");
  watch->add_option("--threshold", options.thresholds,
                    "what must hold, for exit code 0; repeatable: 'p99<500ms', "
                    "'seen-by-all.max<1s', 'burst>=150000', 'memory<=9' (KiB a viewer)");
  watch->add_option("--json", options.jsonFile, "write everything for machines into this file");
  watch->add_flag("--quiet", options.quiet, "only the report");
}

}  // namespace

CLI::App* addWatchCommand(CLI::App& load, WatchOptions& options) {
  auto* watch = load.add_subcommand(
      "watch", "have many viewers watch rooms over WebSocket and check what they see");
  watch->footer(kFooter);
  addViewers(watch, options);
  addTips(watch, options);
  addReports(watch, options);
  return watch;
}

}  // namespace tipflow::app
