#include "anchor/jobs.h"

#include "anchor/chat_store.h"
#include "anchor/moderation_store.h"

namespace tipflow::anchor {
namespace {

constexpr Duration kEvery{60 * kUsPerSecond};
// Rows that one transaction drops: nobody waits long for it.
constexpr int kAtOnce = 1'000;
// What is over stays that long for people to look at.
constexpr Duration kAfterglow{kUsPerDay};

/// Drops what `some` finds, a little at a time, until it finds no more.
template <class Some>
void dropAll(schedule::Run& run, const Some& some) {
  for (std::int64_t dropped = kAtOnce; dropped >= kAtOnce && !run.shouldStop();) {
    dropped = run.write([&](db::Connection& connection) { return some(connection); });
    run.add(dropped);
  }
}

}  // namespace

std::vector<schedule::JobSpec> jobs(db::Database& db1, std::int64_t chatDays) {
  const Duration kept{chatDays * kUsPerDay};
  return {
      {"drop_old_chat", "anchor", kEvery, &db1,
       [kept](schedule::Run& run) {
         const Time before = run.connection().now() - kept;
         dropAll(run, [&](db::Connection& c) { return store::dropChats(c, before, kAtOnce); });
       }},
      {"drop_restraints", "anchor", kEvery, &db1,
       [](schedule::Run& run) {
         const Time before = run.connection().now() - kAfterglow;
         dropAll(run, [&](db::Connection& c) { return store::dropRestraints(c, before, kAtOnce); });
       }},
  };
}

}  // namespace tipflow::anchor
