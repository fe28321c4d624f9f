#include "app/load_command.h"

#include <map>
#include <string>

namespace tipflow::app {
namespace {

using load::LoadOptions;
using load::Verify;

constexpr const char* kFooter =
    R"(Open loop: every tip has its intended instant, set before the run, and its latency counts
from there, over all tries, whether or not the node keeps up. A start that finds every
connection busy is late and keeps its instant; one later than --drop-after is dropped and
counted. A generator that waits for an answer before it goes on (--rate 0) does not ask
while the node is slow, so the slow moments are hardly in its percentiles: coordinated
omission. The report shows both: from the intended start, and the service time from the
last sending.

Exit code: 0 all is well; 1 a tip is missing or different, the books hold less than was
acknowledged, an outcome stayed unknown, or nothing was acknowledged; 2 it could not start;
3 a threshold does not hold.)";

void addSchedule(CLI::App* load, LoadOptions& options) {
  load->add_option("--url", options.url, "node or edge")->capture_default_str();
  load->add_option("--rate", options.rate,
                   "tips a second; 0: a closed loop, as fast as the connections allow")
      ->capture_default_str();
  load->add_option("--stages", options.stages,
                   "ramps in place of --rate and --seconds, DURATION:RATE,…: in each the rate goes "
                   "in a straight line from the last one's (at first 0) to its own; 0s:1000 is a "
                   "jump. 10s:1000,30s:5000,10s:0");
  load->add_option("--seconds", options.seconds,
                   "measured time [10, or as long as --tips needs]; 0: until interrupted");
  load->add_option("--warmup", options.warmupSeconds,
                   "seconds before that, checked but not measured; of --stages, their beginning");
  load->add_option("--tips", options.tips, "end after so many tips were started");
  load->add_option("--batch", options.batch,
                   "send POST /tips/batch with so many tips (1 to 1,000), as an operator");
  load->add_option("--connections", options.connections,
                   "over all threads, one request under way on each")
      ->capture_default_str();
  load->add_option("--threads", options.threads, "")->capture_default_str();
  load->add_option("--drop-after", options.dropAfterSeconds,
                   "seconds after which a start that no connection was free for is dropped")
      ->capture_default_str();
  load->add_option("--wait-for-node", options.waitForNodeSeconds,
                   "seconds for which a node that is away is waited for: at the start [10], and at "
                   "the end for open outcomes [60]; between them the load goes on anyway");
}

void addPeople(CLI::App* load, LoadOptions& options) {
  load->add_option("--rooms", options.rooms, "simulated anchors, each with an open room")
      ->capture_default_str();
  load->add_option("--viewers", options.viewers, "")->capture_default_str();
  load->add_option("--guests", options.guestFraction, "part of the viewers that are guests")
      ->capture_default_str();
  load->add_option("--registered-most", options.registeredMost,
                   "viewers beyond this many are guests too: registering hashes a password")
      ->capture_default_str();
  load->add_option("--zipf", options.zipf,
                   "hot anchors: the k-th room gets 1/k^ZIPF of the first one's tips; 0: all alike")
      ->capture_default_str();
  load->add_option("--zipf-viewers", options.zipfViewers, "the same over a thread's viewers")
      ->capture_default_str();
  load->add_option("--taste", options.taste,
                   "part of the tips that go to one of the two rooms that a viewer likes: of N "
                   "rooms the k-th and the (k + N/2)-th are liked by the same viewers")
      ->capture_default_str();
  load->add_option("--duplicates", options.duplicates,
                   "part of the requests that is sent twice, with the same traceIds")
      ->capture_default_str();
  load->add_option(
          "--duplicates-within", options.duplicatesWithinSeconds,
          "the second one follows within so many seconds, on whichever connection is free; "
          "0: at once, on another one")
      ->capture_default_str();
  load->add_option("--seed", options.seed, "of who tips whom and how much; ids are always new")
      ->capture_default_str();
  static const std::map<std::string, bool> kTraceIds{{"v7", false}, {"random", true}};
  load->add_option(
          "--trace-ids", options.randomTraceIds,
          "v7: ordered by time; random: any 128 bits, which cost the database's index more")
      ->transform(CLI::CheckedTransformer(kTraceIds))
      ->option_text("v7|random");
  load->add_option("--password", options.password, "of the simulated accounts");
  load->add_option("--operator", options.operatorName, "who sends batches and reads the books")
      ->capture_default_str();
  load->add_option("--operator-password", options.operatorPassword,
                   "without it the sums are compared by room only")
      ->envname("TIPFLOW_ADMIN_PASSWORD");
  load->add_flag("!--no-sign", options.sign, "send unsigned requests");
}

void addReports(CLI::App* load, LoadOptions& options) {
  static const std::map<std::string, Verify> kVerify{{"auto", Verify::automatic},
                                                     {"all", Verify::all},
                                                     {"sample", Verify::sample},
                                                     {"sums", Verify::sums},
                                                     {"none", Verify::none}};
  load->add_option(
          "--verify", options.verify,
          "look acknowledged tips up at the end: all, a sample of 20,000, only their sums, "
          "or none; auto: all up to 200,000, a sample beyond. Sums are always compared, and "
          "outcomes in doubt looked up, but for none")
      ->transform(CLI::CheckedTransformer(kVerify))
      ->option_text("auto|all|sample|sums|none");
  load->add_flag_callback(
      "--no-verify", [&options] { options.verify = Verify::none; }, "--verify none");
  load->add_flag("--alone", options.alone,
                 "nobody else tips meanwhile: sums that are too large are a fault too");
  load->add_option("--threshold", options.thresholds,
                   "what must hold, for exit code 0; repeatable: 'p99<25ms', 'service.p99.9<1s', "
                   "'errors<0.1%', 'failed<=0%', 'dropped<=0%', 'rate>=25000'");
  load->add_option("--json", options.jsonFile, "write everything for machines into this file");
  load->add_option("--html", options.htmlFile, "write the report as a page into this file");
  load->add_option("--record", options.recordFile,
                   "write what became of every tip into this file, as JSON lines");
  load->add_flag("--quiet", options.quiet, "only the report");
}

}  // namespace

CLI::App* addLoadCommand(CLI::App& cli, LoadOptions& options) {
  auto* load =
      cli.add_subcommand("load", "send simulated tips to a node and check that all arrived");
  load->footer(kFooter);
  addSchedule(load, options);
  addPeople(load, options);
  addReports(load, options);
  return load;
}

}  // namespace tipflow::app
