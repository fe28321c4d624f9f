#include "database.h"

#include <fmt/format.h>

#include <algorithm>

namespace tipflow::sim {
namespace {

constexpr Duration kLockWait{5'000'000};
// A break that the server hears of by silence only.
constexpr std::int64_t kNoticedAfterUs = 2'000'000;
constexpr std::int64_t kLateUs = 6'000'000;
// A statement of many rows is not done at one instant: others get their turn between two locks.
constexpr int kPausePermille = 300;

}  // namespace

struct Server::Session {
  std::int64_t id = 0;
  std::shared_ptr<Process> client;
  bool clientGone = false;
  bool ended = false;
  bool busy = false;
  std::vector<Request> sent;   // on their way, in order
  std::vector<Request> inbox;  // the first is under way while busy
  std::optional<Txn> txn;
  std::vector<TxnId> waitsFor;
  std::uint64_t statements = 0;  // answered so far
  bool timed = false;            // the statement under way has its lock wait limited
  int route = 0;  // changes when the connection breaks: what was on the way takes another time
};

Server::Server(Scheduler& scheduler, std::string name, std::uint64_t seed, Coverage& coverage)
    : scheduler_(scheduler), name_(std::move(name)), random_(seed), coverage_(coverage) {}

Duration Server::latency() {
  const auto most = weather.latency.count() * 2;
  return Duration{random_.between(1, std::max<std::int64_t>(1, most))};
}

std::shared_ptr<Server::Session> Server::open(std::shared_ptr<Process> client) {
  const auto session = std::make_shared<Session>();
  session->id = ++connections_;
  session->client = std::move(client);
  sessions_[session->id] = session;
  return session;
}

void Server::point(const std::shared_ptr<Session>& session, const char* where) {
  scheduler_.note(static_cast<std::uint64_t>(session->id), session->inbox.size(), [&] {
    return fmt::format("{} connection {} ({}{}): {}", name_, session->id, session->client->name(),
                       session->clientGone ? ", gone" : "", where);
  });
  if (session->clientGone) return;
  auto& client = *session->client;
  if (client.crashAfterPoints > 0 && --client.crashAfterPoints == 0) {
    const auto dying = session->client;
    scheduler_.at(scheduler_.now(), [dying] { dying->kill(); });
  }
  if (cutAfterPoints > 0 && --cutAfterPoints == 0) {
    scheduler_.at(scheduler_.now(), [this, session] {
      if (!session->clientGone) close(session);
    });
  }
}

void Server::send(const std::shared_ptr<Session>& session, Request request) {
  if (session->ended || session->clientGone) {
    request.answer->set({Fault::lost, "the connection is gone"});
    return;
  }
  session->sent.push_back(std::move(request));
  if (delayNext > 0) {
    --delayNext;
    point(session, "cut with its statement on the way");
    return close(session);
  }
  scheduler_.after(latency(), [this, session, life = life_, route = session->route] {
    if (life == life_ && route == session->route) arrive(session);
  });
  point(session, "statement sent");
}

void Server::close(const std::shared_ptr<Session>& session) {
  if (session->clientGone || session->ended) return;
  session->clientGone = true;
  ++session->route;
  const auto lost = [](const Request& request) {
    if (request.answer) request.answer->set({Fault::lost, "the connection broke"});
  };
  for (const auto& request : session->sent) lost(request);
  for (const auto& request : session->inbox) lost(request);
  // Of what is on the way the first so many arrive, and the end of the connection after them.
  const auto arriving = random_.below(session->sent.size() + 1);
  session->sent.resize(arriving);
  const Duration late{random_.chance(500) ? random_.between(0, kLateUs) : 0};
  for (std::size_t i = 0; i < arriving; ++i) {
    scheduler_.after(late, [this, session, life = life_] {
      if (life == life_) arrive(session);
    });
  }
  const Duration noticed{random_.chance(500) ? random_.between(0, kNoticedAfterUs) : 0};
  scheduler_.after(late + noticed, [this, session, life = life_] {
    if (life == life_ && !session->busy && session->inbox.empty()) endSession(session);
  });
}

void Server::arrive(const std::shared_ptr<Session>& session) {
  if (session->ended || session->sent.empty()) return;
  session->inbox.push_back(std::move(session->sent.front()));
  session->sent.erase(session->sent.begin());
  pump(session);
}

void Server::pump(const std::shared_ptr<Session>& session) {
  if (session->ended || session->busy) return;
  if (session->inbox.empty()) {
    if (session->clientGone && session->sent.empty()) {
      const Duration noticed{random_.between(0, kNoticedAfterUs)};
      scheduler_.after(noticed, [this, session, life = life_] {
        if (life == life_ && !session->busy && session->inbox.empty()) endSession(session);
      });
    }
    return;
  }
  session->busy = true;
  auto& request = session->inbox.front();
  if (request.writes && random_.chance(weather.slowPermille)) {
    scheduler_.after(Duration{random_.between(1, weather.slow.count())},
                     [this, session, life = life_] {
                       if (life == life_) execute(session);
                     });
    return;
  }
  execute(session);
}

void Server::execute(const std::shared_ptr<Session>& session) {
  if (session->ended) return;
  session->waitsFor.clear();
  auto& request = session->inbox.front();
  if (!session->txn) session->txn = Txn{++txns_, {}, 0};
  session->txn->now = clock();
  session->txn->pauseAfter = request.writes && random_.chance(kPausePermille)
                                 ? static_cast<int>(random_.between(1, 6))
                                 : 0;
  const bool mayFail = request.writes && request.body != nullptr;
  Reply reply;
  bool endsTxn = request.mode == Mode::alone;
  try {
    if (mayFail && rollBackNext > 0) {
      --rollBackNext;
      throw db::RolledBack(1213, "deadlock found");
    }
    if (mayFail && refuseNext > 0) {
      --refuseNext;
      throw db::Error(1290, "the server is read-only");
    }
    if (request.body) request.body(*session->txn);
    for (auto* table : tables_) table->endStatement(true);
    point(session, "statement executed");
    if (request.mode == Mode::alone || request.mode == Mode::commit) {
      if (!request.writes) return finish(session);
      const Duration takes{
          random_.between(1, std::max<std::int64_t>(1, weather.commitTime.count() * 2))};
      scheduler_.after(takes, [this, session, life = life_] {
        if (life == life_) finish(session);
      });
      return;
    }
  } catch (const Pause&) {
    for (auto* table : tables_) table->endStatement(false);
    scheduler_.after(latency(), [this, session, life = life_] {
      if (life == life_) execute(session);
    });
    return;
  } catch (const MustWait& why) {
    for (auto* table : tables_) table->endStatement(false);
    if (!closesCircle(session->txn->id, why)) return wait(session, why);
    coverage_.add(Met::deadlock);
    reply = {Fault::rolledBack, "deadlock found"};
    endsTxn = true;
  } catch (const db::DuplicateKey& duplicate) {
    reply = {Fault::duplicate, duplicate.what()};
  } catch (const db::RolledBack& rolledBack) {
    reply = {Fault::rolledBack, rolledBack.what()};
    endsTxn = true;
  } catch (const BrokenInvariant& broken) {
    reply = {Fault::broken, broken.what()};
  } catch (const db::Error& refused) {
    reply = {Fault::refused, refused.what()};
  }
  if (reply.fault != Fault::none) {
    for (auto* table : tables_) table->endStatement(false);
    if (endsTxn) endTxn(*session, false);
  }
  answer(session, std::move(reply));
}

bool Server::closesCircle(TxnId waiter, const MustWait& why) const {
  std::vector<TxnId> open = why.holders;
  std::vector<TxnId> seen;
  while (!open.empty()) {
    const auto txn = open.back();
    open.pop_back();
    if (txn == waiter) return true;
    if (std::find(seen.begin(), seen.end(), txn) != seen.end()) continue;
    seen.push_back(txn);
    for (const auto& session : waiting_) {
      if (session->txn && session->txn->id == txn) {
        open.insert(open.end(), session->waitsFor.begin(), session->waitsFor.end());
      }
    }
  }
  return false;
}

void Server::wait(const std::shared_ptr<Session>& session, const MustWait& why) {
  session->waitsFor = why.holders;
  waiting_.push_back(session);
  point(session, "waits for a lock");
  if (std::exchange(session->timed, true)) return;
  coverage_.add(Met::lockWait);
  scheduler_.after(kLockWait, [this, session, life = life_, statement = session->statements] {
    if (life != life_ || statement != session->statements || session->ended) return;
    if (std::erase(waiting_, session) == 0) {
      session->timed = false;  // just woken; if it must wait again, that counts anew
      return;
    }
    session->waitsFor.clear();
    coverage_.add(Met::lockTimeout);
    if (session->inbox.front().mode == Mode::alone) endTxn(*session, false);
    answer(session, {Fault::rolledBack, "lock wait timeout"});
  });
}

void Server::wakeWaitersFor(TxnId txn) {
  std::vector<std::shared_ptr<Session>> still;
  for (auto& session : std::exchange(waiting_, {})) {
    const auto& holders = session->waitsFor;
    if (std::find(holders.begin(), holders.end(), txn) == holders.end()) {
      still.push_back(std::move(session));
      continue;
    }
    scheduler_.at(scheduler_.now(), [this, session, life = life_] {
      if (life == life_ && !session->ended) execute(session);
    });
  }
  waiting_ = std::move(still);
}

void Server::finish(const std::shared_ptr<Session>& session) {
  if (session->ended) return;
  const bool wrote = session->inbox.front().writes;
  if (wrote && session->clientGone) {
    coverage_.add(session->client->alive() ? Met::lateCommit : Met::commitOfTheDead);
  }
  endTxn(*session, true);
  if (wrote) point(session, "committed");
  answer(session, {});
}

void Server::endTxn(Session& session, bool commit) {
  if (!session.txn) return;
  const auto id = session.txn->id;
  session.txn.reset();
  for (auto* table : tables_) table->end(id, commit);
  if (!waiting_.empty()) wakeWaitersFor(id);
}

void Server::answer(const std::shared_ptr<Session>& session, Reply reply) {
  const auto cell = session->inbox.front().answer;
  session->inbox.erase(session->inbox.begin());
  session->busy = false;
  session->timed = false;
  ++session->statements;
  if (cell && !session->clientGone) {
    scheduler_.after(latency(), [session, cell, reply = std::move(reply)] {
      if (!session->clientGone) cell->set(reply);
    });
  }
  pump(session);
}

void Server::endSession(const std::shared_ptr<Session>& session) {
  if (session->ended) return;
  session->ended = true;
  sessions_.erase(session->id);
  std::erase(waiting_, session);
  endTxn(*session, false);
}

void Server::crash(Duration downFor) {
  coverage_.add(Met::databaseCrash);
  up_ = false;
  ++life_;
  waiting_.clear();
  const auto sessions = std::exchange(sessions_, {});
  for (const auto& [id, session] : sessions) {
    // What had reached the log is there after the restart, the rest is not.
    const bool ending = session->busy && session->txn && !session->inbox.empty() &&
                        session->inbox.front().writes && session->waitsFor.empty();
    const bool commits = ending && session->inbox.front().mode != Mode::inside &&
                         session->inbox.front().mode != Mode::begin && random_.chance(500);
    if (ending) coverage_.add(commits ? Met::committedInCrash : Met::lostInCrash);
    session->ended = true;
    if (session->txn) {
      for (auto* table : tables_) table->end(session->txn->id, commits);
      session->txn.reset();
    }
    for (const auto* queue : {&session->sent, &session->inbox}) {
      for (const auto& request : *queue) {
        if (!request.answer) continue;
        scheduler_.after(latency(), [cell = request.answer] {
          cell->set({Fault::lost, "the server went away"});
        });
      }
    }
  }
  scheduler_.after(downFor, [this] { up_ = true; });
}

std::size_t Server::orphans() const {
  return static_cast<std::size_t>(std::count_if(
      sessions_.begin(), sessions_.end(), [](const auto& s) { return s.second->clientGone; }));
}

// The client's end --------------------------------------------------------------------------------

Connection::Connection(Server& server, std::shared_ptr<Process> process, Duration answerTimeout)
    : server_(server),
      process_(std::move(process)),
      session_(server.open(process_)),
      answerTimeout_(answerTimeout) {}

Connection::~Connection() { server_.close(session_); }

std::int64_t Connection::id() const { return session_->id; }

Task<std::unique_ptr<Connection>> Connection::open(Server& server, std::shared_ptr<Process> process,
                                                   Duration answerTimeout) {
  auto pause = sleep(process, server.latency());
  co_await pause;
  if (!server.up()) {
    server.coverage().add(Met::connectFailed);
    throw db::Unavailable(2003, "nobody answers");
  }
  co_return std::unique_ptr<Connection>(new Connection(server, process, answerTimeout));
}

Task<> Connection::send(Mode mode, Server::Body body, bool writes) {
  if (lost_) throw db::ConnectionLost(2006, "the connection is gone");
  const auto cell = cellOf<Server::Reply>(process_);
  server_.send(session_, {mode, std::move(body), cell, writes});
  process_->scheduler().after(answerTimeout_, [cell, &coverage = server_.coverage()] {
    if (!cell->isSet()) coverage.add(Met::statementTimedOut);
    cell->set({Server::Fault::lost, "no answer in time"});
  });
  const Server::Reply reply = co_await cell->wait();
  switch (reply.fault) {
    case Server::Fault::none:
      co_return;
    case Server::Fault::duplicate:
      throw db::DuplicateKey(1062, reply.text);
    case Server::Fault::rolledBack:
      throw db::RolledBack(1213, reply.text);
    case Server::Fault::refused:
      throw db::Error(1290, reply.text);
    case Server::Fault::broken:
      throw BrokenInvariant(reply.text);
    case Server::Fault::lost:
      lost_ = true;
      server_.coverage().add(Met::connectionLost);
      server_.close(session_);
      throw db::ConnectionLost(2013, reply.text);
  }
}

Task<> Connection::commit() {
  Server::Body nothing;
  auto sent = send(Mode::commit, std::move(nothing), true);
  co_await sent;
}

void Connection::rollback() {
  if (lost_) return;
  const auto cell = cellOf<Server::Reply>(process_);
  Server::Body undo = [](const Txn&) { throw db::RolledBack(0, "as asked"); };
  server_.send(session_, {Mode::inside, std::move(undo), cell, false});
}

}  // namespace tipflow::sim
