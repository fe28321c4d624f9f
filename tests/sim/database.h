// A modelled database server and the connections to it. Statements are closures over the tables;
// what is modelled is everything around them: time, locks, waits, deadlocks, lost connections whose
// statements still commit, restarts, and answers that never arrive.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "coverage.h"
#include "scheduler.h"
#include "table.h"

namespace tipflow::sim {

/// How a statement stands to its transaction.
enum class Mode {
  alone,   ///< a transaction of its own
  begin,   ///< opens one
  inside,  ///< in the one that is open
  commit,  ///< ends it
};

struct Weather {
  Duration latency{200};     ///< of a message, about
  Duration commitTime{500};  ///< of a log write, about
  int slowPermille = 0;      ///< statements that take seconds
  Duration slow{3'000'000};
};

class Server {
 public:
  using Body = std::function<void(const Txn&)>;
  enum class Fault { none, duplicate, rolledBack, refused, broken, lost };
  struct Reply {
    Fault fault = Fault::none;
    std::string text;
  };
  struct Request {
    Mode mode;
    Body body;
    std::shared_ptr<Cell<Reply>> answer;
    bool writes = true;
  };
  struct Session;

  Server(Scheduler& scheduler, std::string name, std::uint64_t seed, Coverage& coverage);

  void addTable(TableBase& table) { tables_.push_back(&table); }
  Weather weather;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Time clock() const { return scheduler_.now(); }
  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] Coverage& coverage() { return coverage_; }

  // What clients do ---------------------------------------------------------------------------
  std::shared_ptr<Session> open(std::shared_ptr<Process> client);
  void send(const std::shared_ptr<Session>& session, Request request);
  /// The client's end is gone: what it sent may still arrive, or not, and late.
  void close(const std::shared_ptr<Session>& session);
  /// Whether the server still knows the connection, and may be running a statement of it.
  [[nodiscard]] bool knows(std::int64_t connectionId) const {
    return sessions_.contains(connectionId);
  }
  [[nodiscard]] Duration latency();

  // What befalls them -------------------------------------------------------------------------
  /// All connections break; what was being committed is, or is not. Down for so long.
  void crash(Duration downFor);
  void comeUp() { up_ = true; }
  /// The connection that passes the n-th point from now breaks.
  int cutAfterPoints = 0;
  /// The next so many writing statements are rolled back, or refused.
  int rollBackNext = 0;
  int refuseNext = 0;
  /// Of the next so many statements the connection breaks and the statement is executed later.
  int delayNext = 0;
  /// Sessions whose client is gone.
  [[nodiscard]] std::size_t orphans() const;

 private:
  void arrive(const std::shared_ptr<Session>& session);
  void pump(const std::shared_ptr<Session>& session);
  void execute(const std::shared_ptr<Session>& session);
  void wait(const std::shared_ptr<Session>& session, const MustWait& why);
  void finish(const std::shared_ptr<Session>& session);
  void endTxn(Session& session, bool commit);
  void answer(const std::shared_ptr<Session>& session, Reply reply);
  void endSession(const std::shared_ptr<Session>& session);
  bool closesCircle(TxnId waiter, const MustWait& why) const;
  void wakeWaitersFor(TxnId txn);
  /// A place where the connection may break or its client die.
  void point(const std::shared_ptr<Session>& session, const char* where);

  Scheduler& scheduler_;
  std::string name_;
  Stream random_;
  Coverage& coverage_;
  std::vector<TableBase*> tables_;
  std::map<std::int64_t, std::shared_ptr<Session>> sessions_;
  std::vector<std::shared_ptr<Session>> waiting_;  // for locks, in order of arrival
  std::int64_t connections_ = 0;
  TxnId txns_ = 0;
  int life_ = 0;  // grows with each crash
  bool up_ = true;
};

/// A client's end of a connection. Throws what db::Connection throws.
class Connection {
 public:
  /// Throws db::Unavailable.
  static Task<std::unique_ptr<Connection>> open(Server& server, std::shared_ptr<Process> process,
                                                Duration answerTimeout);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] std::int64_t id() const;

  /// Runs `body(txn)` on the server and gives what it returned. The body may run after its caller
  /// is gone: it must own what it uses.
  template <class Work>
  Task<std::invoke_result_t<Work, const Txn&>> run(Mode mode, Work work, bool writes = true) {
    using Result = std::invoke_result_t<Work, const Txn&>;
    const auto result = std::make_shared<Result>();
    Server::Body body = [result, work = std::move(work)](const Txn& txn) mutable {
      *result = work(txn);
    };
    auto sent = send(mode, std::move(body), writes);
    co_await sent;
    co_return std::move(*result);
  }
  template <class Work>
  Task<std::invoke_result_t<Work, const Txn&>> read(Work work) {
    return run(Mode::alone, std::move(work), false);
  }
  Task<> commit();
  /// Never throws. Not waited for.
  void rollback();

 private:
  Connection(Server& server, std::shared_ptr<Process> process, Duration answerTimeout);
  Task<> send(Mode mode, Server::Body body, bool writes);

  Server& server_;
  std::shared_ptr<Process> process_;
  std::shared_ptr<Server::Session> session_;
  Duration answerTimeout_;
  bool lost_ = false;
};

}  // namespace tipflow::sim
