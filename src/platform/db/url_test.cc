#include <gtest/gtest.h>

#include "platform/db/connection.h"

namespace tipflow::db {
namespace {

TEST(Url, names_a_sqlite_file) {
  EXPECT_EQ(Url::parse("sqlite:var/db1.sqlite").file, "var/db1.sqlite");
  EXPECT_EQ(Url::parse("sqlite:/srv/db1.sqlite").file, "/srv/db1.sqlite");
  EXPECT_EQ(Url::parse("sqlite:///srv/db1.sqlite").file, "/srv/db1.sqlite");
  EXPECT_EQ(Url::parse("sqlite:x").dialect, Dialect::sqlite);
}

TEST(Url, names_all_of_a_mysql_database) {
  const auto url = Url::parse("mysql://tipflow:secret@db.example:3307/tipflow1");
  EXPECT_EQ(url.dialect, Dialect::mysql);
  EXPECT_EQ(url.user, "tipflow");
  EXPECT_EQ(url.password, "secret");
  EXPECT_EQ(url.host, "db.example");
  EXPECT_EQ(url.port, 3307);
  EXPECT_EQ(url.database, "tipflow1");
}

TEST(Url, has_the_usual_port_and_no_account_where_none_is_given) {
  const auto url = Url::parse("mysql://127.0.0.1/tipflow1");
  EXPECT_EQ(url.port, 3306);
  EXPECT_EQ(url.user, "");
  EXPECT_EQ(url.password, "");
  EXPECT_EQ(url.host, "127.0.0.1");
  EXPECT_EQ(Url::parse("mysql://tipflow@h/d").user, "tipflow");
  EXPECT_EQ(Url::parse("mysql://tipflow@h/d").password, "");
}

TEST(Url, passwords_may_hold_anything_percent_encoded_or_not) {
  EXPECT_EQ(Url::parse("mysql://u:p%40%3A%2F%25@h/d").password, "p@:/%");
  EXPECT_EQ(Url::parse("mysql://u:a:b@c@h/d").password, "a:b@c");
  EXPECT_EQ(Url::parse("mysql://u:a/b@h/d").password, "a/b");
  EXPECT_EQ(Url::parse("mysql://u:100%@h/d").password, "100%");
  EXPECT_EQ(Url::parse("mysql://u:%zz@h/d").password, "%zz");
  EXPECT_EQ(Url::parse("mysql://na%3Ame:p@h/d").user, "na:me");
  EXPECT_EQ(Url::parse("mysql://u:p@h/d%20b").database, "d b");
}

TEST(Url, names_an_ipv6_address_in_brackets) {
  EXPECT_EQ(Url::parse("mysql://u:p@[::1]:3307/d").host, "::1");
  EXPECT_EQ(Url::parse("mysql://u:p@[::1]:3307/d").port, 3307);
  EXPECT_EQ(Url::parse("mysql://[2001:db8::7]/d").host, "2001:db8::7");
  EXPECT_EQ(Url::parse("mysql://[2001:db8::7]/d").port, 3306);
  EXPECT_EQ(Url::parse("mysql://[fe80::1%eth0]/d").host, "fe80::1%eth0");
  EXPECT_EQ(Url::parse("mysql://u:p@[::1]/d").shown(), "mysql://u@[::1]:3306/d");
}

TEST(Url, refuses_options_instead_of_taking_them_for_a_name) {
  for (const auto* text : {"mysql://h/d?ssl=true", "mysql://u:p@h/d?ca=/etc/ca.pem",
                           "mysql://h?x/d", "mysql://h/?d"}) {
    try {
      (void)Url::parse(text);
      ADD_FAILURE() << text;
    } catch (const std::invalid_argument& refused) {
      EXPECT_NE(std::string_view(refused.what()).find("options"), std::string_view::npos) << text;
    }
  }
  EXPECT_EQ(Url::parse("mysql://u:a?b@h/d").password, "a?b");
  EXPECT_EQ(Url::parse("mysql://h/d%3Fx").database, "d?x");
}

TEST(Url, refuses_what_it_cannot_mean) {
  for (const auto* text : {"",
                           "db1.sqlite",
                           "sqlite",
                           "sqlite:",
                           "sqlite://",
                           "postgres://h/d",
                           "mysql:",
                           "mysql://",
                           "mysql://h",
                           "mysql://h/",
                           "mysql:///d",
                           "mysql://u:p@/d",
                           "mysql://h:0/d",
                           "mysql://h:65536/d",
                           "mysql://h:x/d",
                           "mysql://h:/d",
                           "mysql://h:33 06/d",
                           "mysql://h:99999999999/d",
                           "MYSQL://h/d",
                           "mysql://::1/d",
                           "mysql://[::1/d",
                           "mysql://[]/d",
                           "mysql://[h]/d",
                           "mysql://[::1]3306/d",
                           "mysql://[::1]:/d",
                           "mysql://[::1]x:1/d",
                           "mysql://h h/d",
                           "mysql://h/x/d",
                           "mysql://u%00x@h/d",
                           "mysql://h/d%00x"}) {
    EXPECT_THROW((void)Url::parse(text), std::invalid_argument) << text;
  }
}

TEST(Url, is_shown_without_its_password) {
  const auto shown = Url::parse("mysql://tipflow:secret@h:3307/d").shown();
  EXPECT_EQ(shown, "mysql://tipflow@h:3307/d");
  EXPECT_EQ(Url::parse("sqlite:/srv/d").shown(), "sqlite:/srv/d");
}

}  // namespace
}  // namespace tipflow::db
