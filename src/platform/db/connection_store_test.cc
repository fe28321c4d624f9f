// What every connection promises, SQLite and MariaDB alike: values, keys, transactions, snapshots,
// lost connections, upserts and migrations.
#include <drogon/utils/coroutine.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <barrier>
#include <limits>
#include <map>
#include <thread>

#include "base/enums.h"
#include "base/random.h"
#include "platform/db/connection.h"
#include "platform/db/database.h"
#include "platform/db/dialect.h"
#include "platform/db/like.h"
#include "platform/db/migrate.h"
#include "store/database.h"
#include "store/mariadb.h"

namespace tipflow::db {
namespace {

using fixture::Engine;
using fixture::make;
using fixture::number;
using fixture::rows;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

class DatabaseConnection : public ::testing::TestWithParam<Engine> {
 protected:
  DatabaseConnection() {
    make(*c, R"(
      CREATE TABLE item (id ${BIG_KEY}, number BIGINT NULL, words TEXT NULL, bytes BLOB NULL,
                         trace BINARY(16) NULL, CHECK (number <> 666))${TABLE};
      CREATE TABLE name (id ${AUTO_ID}, name VARCHAR(64) NOT NULL,
                         CONSTRAINT uq_name UNIQUE (name))${TABLE};
      CREATE TABLE counter (id ${BIG_KEY}, value BIGINT NOT NULL)${TABLE})");
  }

  [[nodiscard]] bool mysql() const { return GetParam() == Engine::MariaDB; }

  std::int64_t keptNumber(const Param& value) {
    c->exec("DELETE FROM item WHERE id = 1");
    c->exec("INSERT INTO item (id, number) VALUES (1, ?)", {value});
    return number(*c, "SELECT number FROM item WHERE id = 1");
  }

  fixture::TestDatabase database{GetParam()};
  std::unique_ptr<Connection> c = database.connect();
};
TIPFLOW_ON_BOTH(DatabaseConnection);

// Values ----------------------------------------------------------------------------------------

TEST_P(DatabaseConnection, keeps_integers_from_one_end_of_64_bits_to_the_other) {
  for (const std::int64_t value : {kLeast, kLeast + 1, std::int64_t{-1}, std::int64_t{0},
                                   std::int64_t{1}, (std::int64_t{1} << 53) + 1, kMost}) {
    EXPECT_EQ(keptNumber(value), value);
    EXPECT_EQ(number(*c, fmt::format("SELECT COUNT(*) FROM item WHERE number > {}", 0)), value > 0);
  }
  EXPECT_EQ(keptNumber(true), 1);
  EXPECT_EQ(keptNumber(false), 0);
  EXPECT_EQ(keptNumber(std::uint32_t{4'294'967'295}), 4'294'967'295);
}

TEST_P(DatabaseConnection, keeps_the_types_of_the_model_as_their_numbers) {
  EXPECT_EQ(keptNumber(TipId{kIdEnd - 1}), kIdEnd - 1);
  EXPECT_EQ(keptNumber(Fen{100'000'000}), 100'000'000);
  EXPECT_EQ(keptNumber(Units{-3}), -3);
  EXPECT_EQ(keptNumber(BasisPoints{10'000}), 10'000);
  EXPECT_EQ(keptNumber(Time{1'770'000'000'123'456}), 1'770'000'000'123'456);
  EXPECT_EQ(keptNumber(Gender::female), 2);
  EXPECT_EQ(keptNumber(std::optional<Fen>{Fen{7}}), 7);
  c->query("SELECT number FROM item", {}, [](const Row& row) {
    EXPECT_EQ(row.time(0), Time{7});
    EXPECT_EQ(row.optionalTime(0), Time{7});
    EXPECT_EQ(row.optionalInteger(0), 7);
    EXPECT_EQ(row.id<TipId>(0), TipId{7});
  });
}

TEST_P(DatabaseConnection, tells_null_from_zero_and_from_nothing) {
  c->exec("INSERT INTO item (id, number, words, bytes) VALUES (1, ?, ?, ?)",
          {nullptr, std::optional<std::string>{}, std::optional<std::int64_t>{}});
  c->exec("INSERT INTO item (id, number, words, bytes) VALUES (2, ?, ?, ?)", {0, "", Bytes{}});
  std::vector<bool> nulls;
  c->query("SELECT number, words, bytes FROM item ORDER BY id", {}, [&](const Row& row) {
    for (int column = 0; column < 3; ++column) nulls.push_back(row.isNull(column));
    if (row.isNull(0)) {
      EXPECT_EQ(row.optionalInteger(0), std::nullopt);
      EXPECT_EQ(row.optionalTime(0), std::nullopt);
    } else {
      EXPECT_EQ(row.optionalInteger(0), 0);
      EXPECT_EQ(row.text(1), "");
      EXPECT_EQ(row.text(2), "");
    }
  });
  EXPECT_THAT(nulls, ElementsAre(true, true, true, false, false, false));
}

TEST_P(DatabaseConnection, reads_as_a_number_only_what_is_one) {
  c->exec("INSERT INTO item (id, number, words) VALUES (1, ?, ?)", {nullptr, "seven"});
  for (const auto* column : {"number", "words"}) {
    const auto sql = fmt::format("SELECT {} FROM item", column);
    EXPECT_THROW(c->query(sql, {}, [](const Row& row) { (void)row.integer(0); }), Error) << column;
  }
  EXPECT_THROW(
      c->query("SELECT SUM(number) FROM item", {}, [](const Row& row) { (void)row.time(0); }),
      Error);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM item"), 1) << "the connection goes on";
}

TEST_P(DatabaseConnection, inserting_no_rows_does_nothing) {
  c->insertRows("INSERT INTO item (id, words)", 2, {}, "");
  c->begin();
  c->insertRows("INSERT INTO item (id, words)", 2, {}, "");
  c->commit();
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM item"), 0);
}

TEST_P(DatabaseConnection, keeps_text_as_it_is_and_never_reads_it_as_sql) {
  const std::vector<std::string> texts{
      "",
      " ",
      "plain",
      "it's \"quoted\" and `ticked`",
      R"(back\slash \' \" \\ \0 \n \x00)",
      "'; DROP TABLE item; --",
      "/* */ -- # ? ?? ?1 :name @name $1 %s {} ${TABLE}",
      "NULL",
      "0x41",
      "x'41'",
      "tab\tnewline\ncarriage\rreturn\x1a\x7f\x01",
      "100% _ ! percent",
      "谢谢主播 🎁🎂👩‍👩‍👧‍👦 é e\u0301 \u202Eright to left\u202C "
      "\u00A0\uFEFF\uFFFF "
      "\U0010FFFF",
      std::string(60'000, 'x'),
  };
  std::vector<Param> values;
  for (std::size_t i = 0; i < texts.size(); ++i) values.insert(values.end(), {i, texts[i]});
  c->insertRows("INSERT INTO item (id, words)", 2, values, "");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::vector<std::string> found;
    c->query("SELECT words FROM item WHERE id = ? AND words = ?", {i, texts[i]},
             [&](const Row& row) { found.emplace_back(row.text(0)); });
    EXPECT_THAT(found, ElementsAre(texts[i]));
  }
  c->exec("UPDATE item SET words = ? WHERE words = ? AND id = ?", {"a ? b", texts[6], 6});
  EXPECT_THAT(rows(*c, {"words"}, "item WHERE id = 6"), ElementsAre("a ? b"));
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM item"), static_cast<std::int64_t>(texts.size()));
}

TEST_P(DatabaseConnection, keeps_arbitrary_text) {
  SeededRandom random(7);
  const auto character = [&](std::string& out) {
    char32_t point = 0;
    do {
      point = static_cast<char32_t>(1 + random.below(random.below(2) == 0 ? 0x7F : 0x10FFFF));
    } while (point >= 0xD800 && point <= 0xDFFF);
    const auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xC0 | point >> 6), put(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
      put(0xE0 | point >> 12), put(0x80 | (point >> 6 & 0x3F)), put(0x80 | (point & 0x3F));
    } else {
      put(0xF0 | point >> 18), put(0x80 | (point >> 12 & 0x3F));
      put(0x80 | (point >> 6 & 0x3F)), put(0x80 | (point & 0x3F));
    }
  };
  std::vector<std::string> texts(500);
  std::vector<Param> values;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    for (auto length = random.below(60); length > 0; --length) character(texts[i]);
    values.insert(values.end(), {i, texts[i]});
  }
  c->insertRows("INSERT INTO item (id, words)", 2, values, "");
  EXPECT_EQ(rows(*c, {"words"}, "item ORDER BY id"), texts);
}

TEST_P(DatabaseConnection, keeps_all_bytes) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  for (const auto& bytes : {every, std::string(16, '\0'), std::string("\xFF\xFE'\\\0\x80", 6)}) {
    c->exec("DELETE FROM item");
    c->exec("INSERT INTO item (id, bytes) VALUES (1, ?)", {Bytes{bytes}});
    EXPECT_THAT(rows(*c, {"bytes"}, "item"), ElementsAre(bytes));
  }
}

TEST_P(DatabaseConnection, keeps_trace_ids_and_finds_and_orders_them) {
  const std::vector<TraceId> traces{{0, 0},
                                    {0, 1},
                                    {0x0192f3a4b5c67d8e, 0x9fa0b1c2d3e4f500},
                                    {~0ULL, 0x2027005c00000000},
                                    {~0ULL, ~0ULL}};
  for (std::size_t i = 0; i < traces.size(); ++i) {
    c->exec("INSERT INTO item (id, trace) VALUES (?, ?)", {9 - i, traces[i]});
  }
  std::vector<TraceId> found;
  c->query("SELECT trace FROM item ORDER BY trace", {},
           [&](const Row& row) { found.push_back(TraceId::fromBytes(row.text(0))); });
  EXPECT_EQ(found, traces);
  for (std::size_t i = 0; i < traces.size(); ++i) {
    std::vector<std::int64_t> ids;
    c->query("SELECT id FROM item WHERE trace IN (?, ?)", {traces[i], TraceId{5, 5}},
             [&](const Row& row) { ids.push_back(row.integer(0)); });
    EXPECT_THAT(ids, ElementsAre(9 - static_cast<std::int64_t>(i)));
  }
}

TEST_P(DatabaseConnection, compares_text_exactly) {
  for (const char* name : {"Ann", "ann", "ANN", "Änn", "Ann2", "A\u0301nn", "\u00C1nn"}) {
    c->exec("INSERT INTO name (name) VALUES (?)", {name});
  }
  std::vector<std::string> found;
  c->query("SELECT name FROM name WHERE name = ?", {"ann"},
           [&](const Row& row) { found.emplace_back(row.text(0)); });
  EXPECT_THAT(found, ElementsAre("ann"));
}

TEST_P(DatabaseConnection, finds_by_a_part_in_which_nothing_is_a_wildcard) {
  for (const char* name : {"100%", "100 percent", "a_b", "axb", "wow!", "wow", "\\%"}) {
    c->exec("INSERT INTO name (name) VALUES (?)", {name});
  }
  const auto find = [&](std::string_view part) {
    std::vector<std::string> found;
    c->query("SELECT name FROM name WHERE name LIKE ? ESCAPE '!' ORDER BY name",
             {containsPattern(part)}, [&](const Row& row) { found.emplace_back(row.text(0)); });
    return found;
  };
  EXPECT_THAT(find("100"), ElementsAre("100 percent", "100%"));
  EXPECT_THAT(find("0%"), ElementsAre("100%"));
  EXPECT_THAT(find("a_b"), ElementsAre("a_b"));
  EXPECT_THAT(find("w!"), ElementsAre("wow!"));
  EXPECT_THAT(find("\\"), ElementsAre("\\%"));
}

TEST_P(DatabaseConnection, refuses_a_statement_with_too_few_or_too_many_values) {
  constexpr const char* kInsert = "INSERT INTO item (id, number) VALUES (?, ?)";
  EXPECT_THROW(c->exec(kInsert, {1, 2, 3}), Error);
  c->exec(kInsert, {1, 11});
  EXPECT_THROW(c->exec(kInsert, {2}), Error);
  EXPECT_THAT(rows(*c, {"id", "number"}, "item"), ElementsAre("1|11"));
}

// Statements ------------------------------------------------------------------------------------

TEST_P(DatabaseConnection, counts_the_rows_that_matched_changed_or_not) {
  c->insertRows("INSERT INTO counter (id, value)", 2, std::vector<Param>{1, 5, 2, 5, 3, 6}, "");
  EXPECT_EQ(c->exec("UPDATE counter SET value = 5 WHERE id = 1").matched, 1);
  EXPECT_EQ(c->exec("UPDATE counter SET value = 7 WHERE value = 5").matched, 2);
  EXPECT_EQ(c->exec("UPDATE counter SET value = value WHERE id > 0").matched, 3);
  EXPECT_EQ(c->exec("UPDATE counter SET value = 8 WHERE id = 4").matched, 0);
  EXPECT_EQ(c->exec("DELETE FROM counter WHERE value = 7").matched, 2);
}

TEST_P(DatabaseConnection, says_the_number_of_the_row_it_made) {
  const auto first = c->exec("INSERT INTO name (name) VALUES ('a')").lastId;
  const auto second = c->exec("INSERT INTO name (name) VALUES ('b')").lastId;
  EXPECT_GT(first, 0);
  EXPECT_GT(second, first);
  EXPECT_EQ(number(*c, "SELECT id FROM name WHERE name = 'b'"), second);
  c->exec("DELETE FROM name");
  EXPECT_GT(c->exec("INSERT INTO name (name) VALUES ('c')").lastId, second)
      << "numbers are never given twice";
}

TEST_P(DatabaseConnection, goes_on_after_a_reader_threw_in_the_middle) {
  c->insertRows("INSERT INTO counter (id, value)", 2, std::vector<Param>{1, 5, 2, 5, 3, 6}, "");
  EXPECT_THROW(c->query("SELECT id FROM counter", {},
                        [](const Row&) { throw std::runtime_error("enough"); }),
               std::runtime_error);
  EXPECT_EQ(number(*c, "SELECT SUM(value) FROM counter"), 16);
}

TEST_P(DatabaseConnection, goes_on_after_a_statement_that_is_not_sql) {
  EXPECT_THROW(c->exec("INSERT INTO nowhere (id) VALUES (1)"), Error);
  EXPECT_THROW(c->query("SELEKT 1", {}, [](const Row&) {}), Error);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM counter"), 0);
}

TEST_P(DatabaseConnection, runs_any_number_of_different_statements) {
  std::int64_t sum = 0;
  for (int i = 0; i < 400; ++i) sum += number(*c, fmt::format("SELECT {}", i));
  EXPECT_EQ(sum, 400 * 399 / 2);
}

TEST_P(DatabaseConnection, tells_the_time_of_the_database_forwards_and_in_microseconds) {
  const Time before = SystemClock{}.now();
  Time last{};
  for (int i = 0; i < 20; ++i) {
    const Time now = c->now();
    EXPECT_GE(now, last);
    last = now;
  }
  EXPECT_GE(last, before - Duration{kUsPerSecond});
  EXPECT_LE(last, SystemClock{}.now() + Duration{kUsPerSecond});
}

// Keys and multi-row inserts ----------------------------------------------------------------------

TEST_P(DatabaseConnection, reports_a_duplicate_of_a_primary_and_of_a_unique_key) {
  c->exec("INSERT INTO item (id) VALUES (1)");
  EXPECT_THROW(c->exec("INSERT INTO item (id) VALUES (1)"), DuplicateKey);
  c->exec("INSERT INTO name (name) VALUES ('a')");
  EXPECT_THROW(c->exec("INSERT INTO name (name) VALUES ('a')"), DuplicateKey);
  c->exec("INSERT INTO name (name) VALUES ('b')");
  EXPECT_THROW(c->exec("UPDATE name SET name = 'a' WHERE name = 'b'"), DuplicateKey);
  EXPECT_THAT(rows(*c, {"name"}, "name ORDER BY name"), ElementsAre("a", "b"));
}

TEST_P(DatabaseConnection, keeps_nothing_of_a_multi_row_insert_with_a_duplicate) {
  c->exec("INSERT INTO name (name) VALUES ('c')");
  const std::vector<Param> values{"a", "b", "c", "d"};
  EXPECT_THROW(c->insertRows("INSERT INTO name (name)", 1, values, ""), DuplicateKey);
  EXPECT_THAT(rows(*c, {"name"}, "name"), ElementsAre("c"));
  const std::vector<Param> twice{"x", "y", "x"};
  EXPECT_THROW(c->insertRows("INSERT INTO name (name)", 1, twice, ""), DuplicateKey);
  EXPECT_THAT(rows(*c, {"name"}, "name"), ElementsAre("c"));
  c->exec("INSERT INTO name (name) VALUES ('e')");
  EXPECT_THAT(rows(*c, {"name"}, "name ORDER BY name"), ElementsAre("c", "e"));
}

TEST_P(DatabaseConnection, undoes_only_the_refused_insert_in_a_transaction_that_goes_on) {
  c->begin();
  c->exec("INSERT INTO name (name) VALUES ('c')");
  const std::vector<Param> values{"a", "b", "c", "d"};
  EXPECT_THROW(c->insertRows("INSERT INTO name (name)", 1, values, ""), DuplicateKey);
  c->exec("INSERT INTO name (name) VALUES ('e')");
  c->commit();
  EXPECT_THAT(rows(*c, {"name"}, "name ORDER BY name"), ElementsAre("c", "e"));
}

TEST_P(DatabaseConnection, keeps_nothing_of_a_multi_row_insert_that_breaks_a_rule) {
  const std::vector<Param> values{1, 5, 2, 666, 3, 7};
  EXPECT_THROW(c->insertRows("INSERT INTO item (id, number)", 2, values, ""), Error);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM item"), 0);
}

TEST_P(DatabaseConnection, inserts_thousands_of_rows_at_once) {
  std::vector<Param> values;
  for (int i = 1; i <= 5'000; ++i) values.insert(values.end(), {i, 2 * i + 1, "row", nullptr});
  c->insertRows("INSERT INTO item (id, number, words, bytes)", 4, values, "");
  EXPECT_THAT(rows(*c, {"COUNT(*)", "SUM(number)", "COUNT(words)", "COUNT(bytes)"}, "item"),
              ElementsAre("5000|25010000|5000|0"));
}

// Upserts -----------------------------------------------------------------------------------------

TEST_P(DatabaseConnection, adds_to_the_rows_that_are_there_and_makes_the_others) {
  make(*c, R"(CREATE TABLE sums (a BIGINT NOT NULL, b BIGINT NOT NULL, tips BIGINT NOT NULL,
                amount BIGINT NOT NULL, note BIGINT NOT NULL, PRIMARY KEY (a, b))${TABLE})");
  const auto tail = upsertAdd(c->dialect(), "a, b", {"tips", "amount"});
  const auto add = [&](const std::vector<Param>& values) {
    c->insertRows("INSERT INTO sums (a, b, tips, amount, note)", 5, values, tail);
  };
  add({1, 1, 1, 100, 7, 1, 2, 2, 200, 7});
  add({1, 1, 10, 1'000, 8, 2, 1, 3, 300, 8, 1, 1, 5, -50, 8});
  EXPECT_THAT(rows(*c, {"a", "b", "tips", "amount", "note"}, "sums ORDER BY a, b"),
              ElementsAre("1|1|16|1050|7", "1|2|2|200|7", "2|1|3|300|8"));
}

TEST_P(DatabaseConnection, sets_the_rows_that_are_there_and_makes_the_others) {
  const auto tail = upsertSet(c->dialect(), "id", {"number", "words"});
  const auto set = [&](const std::vector<Param>& values) {
    c->insertRows("INSERT INTO item (id, number, words)", 3, values, tail);
  };
  set({1, 5, "a", 2, 6, "b"});
  set({1, 7, "c", 3, 8, nullptr});
  EXPECT_THAT(rows(*c, {"id", "number", "words"}, "item ORDER BY id"),
              ElementsAre("1|7|c", "2|6|b", "3|8|NULL"));
}

TEST_P(DatabaseConnection, keeps_the_rows_that_are_there_and_makes_the_others) {
  const auto sql = "INSERT INTO counter (id, value) VALUES (?, ?)" + orKeep(c->dialect(), "id");
  c->exec(sql, {1, 5});
  c->exec(sql, {1, 6});
  c->exec(sql, {2, 7});
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter ORDER BY id"), ElementsAre("1|5", "2|7"));
  make(*c, "CREATE TABLE pair (a BIGINT NOT NULL, b BIGINT NOT NULL, PRIMARY KEY (a, b))${TABLE}");
  const auto pair = "INSERT INTO pair (a, b) VALUES (?, ?)" + orKeep(c->dialect(), "a, b");
  for (const int b : {1, 2, 1}) c->exec(pair, {1, b});
  EXPECT_THAT(rows(*c, {"a", "b"}, "pair ORDER BY b"), ElementsAre("1|1", "1|2"));
}

// Transactions ------------------------------------------------------------------------------------

TEST_P(DatabaseConnection, undoes_everything_by_rollback) {
  c->exec("INSERT INTO counter (id, value) VALUES (1, 5)");
  c->begin();
  c->exec("UPDATE counter SET value = 6");
  c->insertRows("INSERT INTO counter (id, value)", 2, std::vector<Param>{2, 1, 3, 1}, "");
  EXPECT_EQ(number(*c, "SELECT SUM(value) FROM counter"), 8);
  c->rollback();
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter"), ElementsAre("1|5"));
  c->rollback();  // nothing is open
  c->exec("UPDATE counter SET value = 7");
  c->rollback();
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter"), ElementsAre("1|7"));
}

TEST_P(DatabaseConnection, shows_others_nothing_before_the_commit_and_everything_after) {
  const auto other = database.connect();
  c->begin();
  c->exec("INSERT INTO counter (id, value) VALUES (1, 5)");
  EXPECT_EQ(number(*other, "SELECT COUNT(*) FROM counter"), 0);
  c->commit();
  EXPECT_EQ(number(*other, "SELECT COUNT(*) FROM counter"), 1);
}

TEST_P(DatabaseConnection, undoes_what_was_open_when_it_ends) {
  {
    const auto other = database.connect();
    other->begin();
    other->exec("INSERT INTO counter (id, value) VALUES (1, 5)");
  }
  c->exec("INSERT INTO counter (id, value) VALUES (2, 6)");
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter"), ElementsAre("2|6"));
}

TEST_P(DatabaseConnection, keeps_what_was_committed_for_whoever_comes_later) {
  transact(*c, [](Connection& t) { t.exec("INSERT INTO counter (id, value) VALUES (1, 5)"); });
  c.reset();
  EXPECT_THAT(rows(*database.connect(), {"id", "value"}, "counter"), ElementsAre("1|5"));
}

TEST_P(DatabaseConnection, transact_gives_back_what_the_work_made) {
  const auto made = transact(*c, [](Connection& t) {
    t.exec("INSERT INTO counter (id, value) VALUES (1, 5)");
    return std::string("made");
  });
  EXPECT_EQ(made, "made");
  EXPECT_EQ(number(*database.connect(), "SELECT COUNT(*) FROM counter"), 1);
}

TEST_P(DatabaseConnection, transact_undoes_work_that_throws_and_throws_it_on) {
  struct Refused {};
  int runs = 0;
  EXPECT_THROW(transact(*c,
                        [&](Connection& t) {
                          ++runs;
                          t.exec("INSERT INTO counter (id, value) VALUES (1, 5)");
                          throw Refused{};
                        }),
               Refused);
  EXPECT_EQ(runs, 1);
  EXPECT_THROW(transact(*c,
                        [&](Connection& t) {
                          ++runs;
                          t.exec("INSERT INTO name (name) VALUES ('a')");
                          t.exec("INSERT INTO name (name) VALUES ('a')");
                        }),
               DuplicateKey);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM counter"), 0);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM name"), 0);
}

TEST_P(DatabaseConnection, transact_runs_work_again_that_was_rolled_back) {
  int runs = 0;
  const auto done = transact(*c, [&](Connection& t) {
    t.exec("UPDATE counter SET value = value + 1");
    t.exec("INSERT INTO counter (id, value) VALUES (1, 0)");
    if (++runs < 3) throw RolledBack(0, "deadlock");
    return runs;
  });
  EXPECT_EQ(done, 3);
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter"), ElementsAre("1|0"));
}

TEST_P(DatabaseConnection, transact_gives_up_after_its_attempts) {
  int runs = 0;
  EXPECT_THROW(transact(
                   *c,
                   [&](Connection& t) {
                     ++runs;
                     t.exec("INSERT INTO counter (id, value) VALUES (1, 0)");
                     throw RolledBack(0, "deadlock");
                   },
                   3),
               RolledBack);
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM counter"), 0);
}

TEST_P(DatabaseConnection, loses_no_update_of_eight_writers_at_once) {
  c->exec("INSERT INTO counter (id, value) VALUES (1, 0)");
  const std::string read =
      fmt::format("SELECT value FROM counter WHERE id = 1{}", forUpdate(c->dialect()));
  fixture::atOnce(8, [&](int) {
    const auto mine = database.connect();
    for (int i = 0; i < 25; ++i) {
      transact(*mine, [&](Connection& t) {
        t.exec("UPDATE counter SET value = ? WHERE id = 1", {number(t, read) + 1});
      });
    }
  });
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter"), ElementsAre("1|200"));
}

TEST_P(DatabaseConnection, lets_writers_outside_transactions_take_turns) {
  fixture::atOnce(8, [&](int writer) {
    const auto mine = database.connect();
    for (int i = 0; i < 25; ++i) {
      mine->exec("INSERT INTO counter (id, value) VALUES (?, ?)", {writer * 100 + i, 1});
    }
  });
  EXPECT_EQ(number(*c, "SELECT SUM(value) FROM counter"), 200);
}

// Snapshots ---------------------------------------------------------------------------------------

TEST_P(DatabaseConnection, sees_one_instant_in_a_snapshot_while_another_connection_writes) {
  const auto writer = database.connect();
  writer->exec("INSERT INTO counter (id, value) VALUES (1, 10)");
  c->beginSnapshot();
  transact(*writer, [](Connection& t) {
    t.exec("UPDATE counter SET value = 4");
    t.exec("INSERT INTO counter (id, value) VALUES (2, 6)");
    t.exec("INSERT INTO name (name) VALUES ('late')");
  });
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter"), ElementsAre("1|10"));
  EXPECT_THAT(rows(*c, {"name"}, "name"), IsEmpty()) << "a table not read before";
  writer->exec("DELETE FROM counter");
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter"), ElementsAre("1|10"));
  c->commit();
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter"), IsEmpty());
  EXPECT_THAT(rows(*c, {"name"}, "name"), ElementsAre("late"));
}

TEST_P(DatabaseConnection, never_sees_half_a_transfer_in_a_snapshot) {
  c->insertRows("INSERT INTO counter (id, value)", 2, std::vector<Param>{1, 1'000, 2, 0}, "");
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    const auto mine = database.connect();
    while (!stop) {
      transact(*mine, [](Connection& t) {
        t.exec("UPDATE counter SET value = value - 1 WHERE id = 1");
        t.exec("UPDATE counter SET value = value + 1 WHERE id = 2");
      });
    }
  });
  for (int i = 0; i < 100; ++i) {
    c->beginSnapshot();
    const auto first = number(*c, "SELECT value FROM counter WHERE id = 1");
    const auto second = number(*c, "SELECT value FROM counter WHERE id = 2");
    c->commit();
    EXPECT_EQ(first + second, 1'000);
  }
  stop = true;
  writer.join();
}

TEST_P(DatabaseConnection, refuses_to_write_in_a_snapshot) {
  c->beginSnapshot();
  EXPECT_THROW(c->exec("INSERT INTO counter (id, value) VALUES (1, 1)"), Error);
  c->rollback();
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM counter"), 0);
  c->exec("INSERT INTO counter (id, value) VALUES (2, 2)");
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter"), ElementsAre("2|2"));
}

// Connecting --------------------------------------------------------------------------------------

TEST_P(DatabaseConnection, may_be_opened_by_many_at_once_the_first_time) {
  for (int round = 0; round < 25; ++round) {
    const fixture::TestDatabase fresh(GetParam());
    fixture::atOnce(8, [&](int i) {
      make(*fresh.connect(), fmt::format("CREATE TABLE t{} (id ${{BIG_KEY}})${{TABLE}}", i));
    });
    const auto mine = fresh.connect();
    for (int i = 0; i < 8; ++i) {
      EXPECT_EQ(number(*mine, fmt::format("SELECT COUNT(*) FROM t{}", i)), 0);
    }
  }
}

TEST(SqliteConnection, is_unavailable_where_no_file_can_be) {
  EXPECT_THROW(connect(Url::parse("sqlite:/no/such/folder/db.sqlite")), Unavailable);
}

TEST(SqliteConnection, waits_for_another_process_that_writes) {
  // Another name of the file: to this connection the other one is as good as another process.
  const fixture::TestDatabase database(Engine::SQLite);
  auto other = database.url();
  other.file.insert(other.file.rfind('/'), "/.");
  make(*database.connect(), "CREATE TABLE counter (id ${BIG_KEY}, value BIGINT NOT NULL)${TABLE}");
  fixture::atOnce(2, [&](int i) {
    const auto mine = connect(i == 0 ? database.url() : other);
    for (int round = 0; round < 50; ++round) {
      transact(*mine, [&](Connection& t) {
        t.exec("INSERT INTO counter (id, value) VALUES (?, 1)", {i * 1'000 + round});
      });
    }
  });
  EXPECT_EQ(number(*database.connect(), "SELECT SUM(value) FROM counter"), 100);
}

class MariaDbConnection : public ::testing::Test {
 protected:
  MariaDbConnection() {
    make(*c, "CREATE TABLE counter (id ${BIG_KEY}, value BIGINT NOT NULL)${TABLE}");
    c->insertRows("INSERT INTO counter (id, value)", 2, std::vector<Param>{1, 0, 2, 0}, "");
  }
  void killOther(Connection& other) {
    const auto id = other.serverId();
    c->exec(fmt::format("KILL CONNECTION {}", id));
    EXPECT_TRUE(fixture::eventually([&] {
      return number(*c, fmt::format("SELECT COUNT(*) FROM information_schema.processlist "
                                    "WHERE id = {}",
                                    id)) == 0;
    }));
  }

  fixture::TestDatabase database{Engine::MariaDB};
  std::unique_ptr<Connection> c = database.connect();
};

TEST_F(MariaDbConnection, is_unavailable_when_nobody_answers_or_lets_it_in) {
  auto url = database.url();
  url.port = 1;
  EXPECT_THROW(connect(url), Unavailable);
  url = database.url();
  url.password = "wrong";
  EXPECT_THROW(connect(url), Unavailable);
  url = database.url();
  url.database = "nowhere";
  EXPECT_THROW(connect(url), Unavailable);
}

TEST_F(MariaDbConnection, names_itself_to_the_server) {
  EXPECT_EQ(c->serverId(), number(*c, "SELECT CONNECTION_ID()"));
}

TEST_F(MariaDbConnection, sees_what_others_commit_during_an_ordinary_transaction) {
  const auto other = database.connect();
  c->beginSnapshot();  // its isolation must not outlast it
  EXPECT_EQ(number(*c, "SELECT SUM(value) FROM counter"), 0);
  c->commit();
  c->begin();
  EXPECT_EQ(number(*c, "SELECT SUM(value) FROM counter"), 0);
  other->exec("UPDATE counter SET value = 1");
  EXPECT_EQ(number(*c, "SELECT SUM(value) FROM counter"), 2);
  c->commit();
}

TEST_F(MariaDbConnection, is_rolled_back_by_a_deadlock_and_both_sides_get_through_in_the_end) {
  std::barrier bothHold(2);
  std::atomic<int> runs = 0;
  fixture::atOnce(2, [&](int i) {
    const auto mine = database.connect();
    int mineRuns = 0;
    transact(*mine, [&](Connection& t) {
      ++runs;
      t.exec("UPDATE counter SET value = value + 1 WHERE id = ?", {1 + i});
      if (++mineRuns == 1) bothHold.arrive_and_wait();
      t.exec("UPDATE counter SET value = value + 1 WHERE id = ?", {2 - i});
    });
  });
  EXPECT_GE(runs, 3) << "there was no deadlock";
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter ORDER BY id"), ElementsAre("1|2", "2|2"));
}

TEST_F(MariaDbConnection, is_rolled_back_when_it_waits_too_long_for_a_lock) {
  const auto holder = database.connect();
  holder->begin();
  holder->exec("UPDATE counter SET value = 1 WHERE id = 1");
  c->exec("SET SESSION innodb_lock_wait_timeout = 1");
  c->begin();
  EXPECT_THROW(c->exec("UPDATE counter SET value = 2 WHERE id = 1"), RolledBack);
  c->rollback();
  holder->commit();
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter ORDER BY id"), ElementsAre("1|1", "2|0"));
}

TEST_F(MariaDbConnection, is_lost_when_it_was_killed_between_two_statements) {
  const auto other = database.connect();
  killOther(*other);
  EXPECT_THROW(other->exec("UPDATE counter SET value = 1"), ConnectionLost);
  EXPECT_THROW(other->query("SELECT 1", {}, [](const Row&) {}), ConnectionLost);
  EXPECT_THROW(other->begin(), ConnectionLost);
  other->rollback();  // never throws
  EXPECT_EQ(number(*c, "SELECT SUM(value) FROM counter"), 0);
}

TEST_F(MariaDbConnection, takes_nothing_more_once_its_server_did_not_roll_back) {
  const auto other = database.connect();
  other->begin();
  other->exec("UPDATE counter SET value = 1");
  killOther(*other);
  other->rollback();
  EXPECT_THROW(other->exec("UPDATE counter SET value = 2"), Unavailable);
  EXPECT_THROW(other->begin(), Unavailable);
  EXPECT_THROW(
      other->insertRows("INSERT INTO counter (id, value)", 2, std::vector<Param>{3, 0}, ""),
      Unavailable);
  EXPECT_EQ(number(*c, "SELECT SUM(value) FROM counter"), 0);
}

TEST_F(MariaDbConnection, is_lost_when_it_was_killed_before_its_commit_which_then_did_nothing) {
  const auto other = database.connect();
  other->begin();
  other->exec("UPDATE counter SET value = 1");
  killOther(*other);
  EXPECT_THROW(other->commit(), ConnectionLost);
  EXPECT_TRUE(fixture::eventually([&] { return fixture::openTransactions(*c) == 0; },
                                  fixture::kInnodbShowsEvery));
  EXPECT_EQ(number(*c, "SELECT SUM(value) FROM counter"), 0);
}

TEST_F(MariaDbConnection, is_lost_when_it_is_killed_in_the_middle_of_a_statement) {
  const auto other = database.connect();
  const auto id = other->serverId();
  std::thread killer([&] {
    const auto mine = database.connect();
    EXPECT_TRUE(fixture::eventually([&] {
      return number(*mine, fmt::format("SELECT COUNT(*) FROM information_schema.processlist "
                                       "WHERE id = {} AND info LIKE 'UPDATE%'",
                                       id)) == 1;
    }));
    mine->exec(fmt::format("KILL CONNECTION {}", id));
  });
  EXPECT_THROW(other->exec("UPDATE counter SET value = 1 + SLEEP(15)"), ConnectionLost);
  killer.join();
  EXPECT_EQ(number(*c, "SELECT SUM(value) FROM counter"), 0);
}

TEST_F(MariaDbConnection, of_a_pool_is_replaced_when_it_died_and_no_write_is_done_twice) {
  Database pool("db", database.url(), {.threads = 1});
  const auto kill = [&](std::int64_t victim) {
    c->exec(fmt::format("KILL CONNECTION {}", victim));
    EXPECT_TRUE(fixture::eventually([&] {
      return number(*c, fmt::format("SELECT COUNT(*) FROM information_schema.processlist "
                                    "WHERE id = {}",
                                    victim)) == 0;
    }));
  };
  const auto id = [](Connection& p) { return p.serverId(); };
  const auto sum = [](Connection& p) { return number(p, "SELECT SUM(value) FROM counter"); };
  int runs = 0;
  const auto raise = [&](Connection& p) {
    ++runs;
    return p.exec("UPDATE counter SET value = value + 1 WHERE id = 1").matched;
  };
  const auto raiseAndDie = [&](Connection& p) {
    raise(p);
    kill(p.serverId());
    return 0;
  };

  kill(drogon::sync_wait(pool.read(id)));
  EXPECT_EQ(drogon::sync_wait(pool.read(sum)), 0) << "died while it was kept: asked again";
  kill(drogon::sync_wait(pool.read(id)));
  EXPECT_EQ(drogon::sync_wait(pool.write(raise)), 1) << "and written, as nothing had been sent";
  EXPECT_EQ(runs, 1);
  EXPECT_THROW(drogon::sync_wait(pool.write(raiseAndDie)), ConnectionLost);
  EXPECT_EQ(runs, 2) << "what became of it is not known: not to be done again";
  EXPECT_EQ(drogon::sync_wait(pool.write(raise)), 1);
  EXPECT_THAT(rows(*c, {"id", "value"}, "counter ORDER BY id"), ElementsAre("1|2", "2|0"));
}

// Migrations --------------------------------------------------------------------------------------

class Migrations : public ::testing::TestWithParam<Engine> {
 protected:
  static constexpr Time kNow{1'770'000'000'000'000};

  std::vector<std::string> tables() {
    return c->dialect() == Dialect::sqlite
               ? rows(*c, {"name"},
                      "sqlite_master WHERE type IN ('table', 'index') AND "
                      "name NOT LIKE 'sqlite%' ORDER BY name")
               : rows(*c, {"DISTINCT table_name", "index_name"},
                      "information_schema.statistics WHERE table_schema = DATABASE() "
                      "ORDER BY table_name, index_name");
  }

  fixture::TestDatabase database{GetParam()};
  std::unique_ptr<Connection> c = database.connect();
};
TIPFLOW_ON_BOTH(Migrations);

TEST_P(Migrations, bring_both_schemas_up_to_date_and_then_have_nothing_to_do) {
  for (const char* folder : {"db1", "db2"}) {
    const fixture::TestDatabase fresh(GetParam());
    c = fresh.connect();
    const auto migrations = embeddedMigrations(folder);
    ASSERT_FALSE(migrations.empty());
    const auto done = migrate(*c, migrations, kNow);
    ASSERT_EQ(done.size(), migrations.size());
    std::vector<std::string> noted;
    for (const auto& migration : migrations) {
      noted.push_back(fmt::format("{}|{}|{}", migration.number, migration.name, kNow.us));
    }
    EXPECT_EQ(rows(*c, {"number", "name", "applied_at"}, "schema_migration ORDER BY number"),
              noted);
    const auto made = tables();
    EXPECT_THAT(migrate(*c, migrations, kNow + Duration{1}), IsEmpty());
    EXPECT_EQ(tables(), made);
    EXPECT_EQ(rows(*c, {"number", "name", "applied_at"}, "schema_migration ORDER BY number"),
              noted);
    c.reset();
  }
}

TEST_P(Migrations, keep_what_the_tables_hold) {
  migrate(*c, embeddedMigrations("db2"), kNow);
  c->exec(
      "INSERT INTO account (anchor_id, settled_units, withdrawn_fen, reserved_fen) "
      "VALUES (1, 2, 3, 4)");
  auto more = embeddedMigrations("db2");
  more.push_back({more.back().number + 1, "more.sql", "ALTER TABLE account ADD note INT NULL"});
  EXPECT_THAT(migrate(*c, more, kNow), ElementsAre("more.sql"));
  EXPECT_THAT(rows(*c, {"anchor_id", "settled_units", "note"}, "account"), ElementsAre("1|2|NULL"));
}

TEST_P(Migrations, may_be_run_by_four_nodes_at_once) {
  const auto migrations = embeddedMigrations("db1");
  for (int round = 0; round < 5; ++round) {
    const fixture::TestDatabase fresh(GetParam());
    const auto mine = fresh.connect();
    std::atomic<std::size_t> applied = 0;
    fixture::atOnce(4, [&](int) { applied += migrate(*fresh.connect(), migrations, kNow).size(); });
    EXPECT_EQ(applied, migrations.size());
    EXPECT_EQ(number(*mine, "SELECT COUNT(*) FROM schema_migration"),
              static_cast<std::int64_t>(migrations.size()));
    EXPECT_THAT(migrate(*mine, migrations, kNow), IsEmpty());
  }
}

TEST_P(Migrations, refuse_a_schema_that_a_newer_release_wrote) {
  const auto migrations = embeddedMigrations("db1");
  migrate(*c, migrations, kNow);
  c->exec("INSERT INTO schema_migration (number, name, applied_at) VALUES (9999, 'later', 1)");
  const auto made = tables();
  EXPECT_THROW(migrate(*c, migrations, kNow), Error);
  EXPECT_EQ(tables(), made);
  c->exec("DELETE FROM schema_migration WHERE number = 9999");
  // A refused run stands in nobody's way, even while its connection lives on.
  if (GetParam() == Engine::MariaDB) {
    ASSERT_EQ(
        number(*c, "SELECT IS_FREE_LOCK(CONCAT('tipflow-', LEFT(SHA2(DATABASE(), 256), 40)))"), 1);
  }
  EXPECT_THAT(migrate(*database.connect(), migrations, kNow), IsEmpty());
}

TEST_P(Migrations, that_fail_are_not_noted_and_can_be_run_again_when_repaired) {
  std::vector<Migration> migrations{
      {1, "1.sql", "CREATE TABLE IF NOT EXISTS a (id ${BIG_KEY})${TABLE}"},
      {2, "2.sql", "CREATE TABLE IF NOT EXISTS b (id ${BIG_KEY})${TABLE}; SELEKT"}};
  EXPECT_THROW(migrate(*c, migrations, kNow), Error);
  EXPECT_THAT(rows(*c, {"number"}, "schema_migration"), ElementsAre("1"));
  migrations[1].sql =
      "CREATE TABLE IF NOT EXISTS b (id ${BIG_KEY})${TABLE};\n"
      "-- a comment; with a semicolon\n"
      "CREATE INDEX ix ON b (id);\n";
  EXPECT_THAT(migrate(*c, migrations, kNow), ElementsAre("2.sql"));
  EXPECT_EQ(number(*c, "SELECT COUNT(*) FROM b"), 0);
}

TEST(MariaDbMigrations, wait_for_another_node_longer_than_an_answer_may_take) {
  const fixture::TestDatabase database(Engine::MariaDB);
  const auto holder = database.connect();
  const auto lock = [&](const char* function) {
    return number(*holder, fmt::format("SELECT {}", function));
  };
  ASSERT_EQ(lock("GET_LOCK(CONCAT('tipflow-', LEFT(SHA2(DATABASE(), 256), 40)), 0)"), 1);
  std::atomic<bool> released = false;
  std::thread waiter([&] {
    try {
      const auto mine = connect(database.url(), Duration{2 * kUsPerSecond});
      migrate(*mine, embeddedMigrations("db1"), Time{1});
      EXPECT_TRUE(released);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  });
  const auto start = std::chrono::steady_clock::now();
  fixture::eventually(
      [&] { return std::chrono::steady_clock::now() - start > std::chrono::seconds(3); });
  released = true;
  lock("RELEASE_LOCK(CONCAT('tipflow-', LEFT(SHA2(DATABASE(), 256), 40)))");
  waiter.join();
}

TEST(MariaDbMigrations, go_on_where_one_was_cut_short) {
  const fixture::TestDatabase database(Engine::MariaDB);
  const auto c = database.connect();
  const auto migrations = embeddedMigrations("db1");
  // A process that died behind the second index: MySQL commits every such statement by itself.
  make(*c, migrations[0].sql);
  const auto indexes = statements(migrations[1].sql, Dialect::mysql);
  c->exec(indexes[0]);
  c->exec(indexes[1]);
  EXPECT_EQ(migrate(*c, migrations, Time{1}).size(), migrations.size());
}

}  // namespace
}  // namespace tipflow::db
