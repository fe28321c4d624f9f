// A table of the modelled database: rows under locks, changes of open transactions beside what is
// committed. Locks are of rows and held until the transaction ends, as InnoDB does; reads see what
// is committed now (READ COMMITTED) and the transaction's own changes.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "platform/db/connection.h"

namespace tipflow::sim {

using TxnId = std::uint64_t;

/// The statement must wait until one of these transactions ends.
struct MustWait {
  std::vector<TxnId> holders;
};

/// The statement goes on after others had a turn; it keeps its locks.
struct Pause {};

class TableBase {
 public:
  virtual ~TableBase() = default;
  /// The statement under way succeeded, or is undone; its locks stay.
  virtual void endStatement(bool keep) = 0;
  virtual void end(TxnId txn, bool commit) = 0;
};

/// A transaction as the server sees it.
struct Txn {
  TxnId id = 0;
  Time now;  ///< the database's clock at this statement
  /// The statement pauses after it got so many locks; 0: it does not.
  mutable int pauseAfter = 0;
};

template <class Key, class Row>
class Table final : public TableBase {
 public:
  /// Told of every row as it is committed; `before` is null for a new one.
  std::function<void(const Key&, const Row* before, const Row& after)> onCommit;

  [[nodiscard]] const std::map<Key, Row>& committed() const { return rows_; }

  [[nodiscard]] const Row* find(const Txn& txn, const Key& key) const {
    if (const auto open = open_.find(txn.id); open != open_.end()) {
      if (const auto own = open->second.writes.find(key); own != open->second.writes.end()) {
        return &own->second;
      }
    }
    const auto row = rows_.find(key);
    return row == rows_.end() ? nullptr : &row->second;
  }

  /// Reads the newest row to write it, or so that nobody else does. Throws MustWait.
  const Row* lock(const Txn& txn, const Key& key, bool shared = false) {
    auto& lock = locks_[key];
    std::vector<TxnId> others;
    for (const auto holder : lock.holders) {
      if (holder != txn.id) others.push_back(holder);
    }
    if (!others.empty() && !(shared && lock.shared)) throw MustWait{std::move(others)};
    if (std::find(lock.holders.begin(), lock.holders.end(), txn.id) == lock.holders.end()) {
      lock.shared = shared;
      lock.holders.push_back(txn.id);
      open_[txn.id].locks.push_back(key);
      if (txn.pauseAfter > 0 && --txn.pauseAfter == 0) throw Pause{};
    } else if (!shared) {
      lock.shared = false;
    }
    return find(txn, key);
  }

  /// Waits for another transaction that is inserting the key, as a unique index does. Throws
  /// db::DuplicateKey.
  void insert(const Txn& txn, const Key& key, Row row) {
    if (lock(txn, key) != nullptr) throw db::DuplicateKey(1062, "duplicate key");
    write(txn, key, std::move(row));
  }
  /// The row must be locked, or new.
  void put(const Txn& txn, const Key& key, Row row) {
    lock(txn, key);
    write(txn, key, std::move(row));
  }

  void endStatement(bool keep) override {
    if (!keep) {
      for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) {
        auto& writes = open_[undo->txn].writes;
        if (undo->before) {
          writes[undo->key] = std::move(*undo->before);
        } else {
          writes.erase(undo->key);
        }
      }
    }
    undo_.clear();
  }

  void end(TxnId txn, bool commit) override {
    const auto open = open_.find(txn);
    if (open == open_.end()) return;
    for (const auto& key : open->second.locks) {
      const auto lock = locks_.find(key);
      std::erase(lock->second.holders, txn);
      if (lock->second.holders.empty()) locks_.erase(lock);
    }
    auto writes = std::move(open->second.writes);
    open_.erase(open);
    if (!commit) return;
    for (auto& [key, row] : writes) {
      const auto [place, isNew] = rows_.try_emplace(key, row);
      if (isNew) {
        if (onCommit) onCommit(key, nullptr, place->second);
        continue;
      }
      const Row before = std::exchange(place->second, std::move(row));
      if (onCommit) onCommit(key, &before, place->second);
    }
  }

 private:
  struct Lock {
    bool shared = false;
    std::vector<TxnId> holders;
  };
  struct Open {
    std::map<Key, Row> writes;
    std::vector<Key> locks;
  };
  struct Undo {
    TxnId txn;
    Key key;
    std::optional<Row> before;
  };

  void write(const Txn& txn, const Key& key, Row row) {
    auto& writes = open_[txn.id].writes;
    const auto own = writes.find(key);
    undo_.push_back({txn.id, key, own == writes.end() ? std::nullopt : std::optional(own->second)});
    writes.insert_or_assign(key, std::move(row));
  }

  std::map<Key, Row> rows_;
  std::map<Key, Lock> locks_;
  std::map<TxnId, Open> open_;
  std::vector<Undo> undo_;  // of the statement under way
};

}  // namespace tipflow::sim
