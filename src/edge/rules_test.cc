#include "edge/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "base/error_code.h"

namespace tipflow::edge {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const Server kFirst{"node-1", "10.0.0.1", 8080};
const Server kSecond{"node-2", "10.0.0.2", 8080};

Options options() {
  Options options;
  options.address = "0.0.0.0";
  options.port = 80;
  options.connections = 1'024;
  options.descriptors = 2'112;
  return options;
}

std::string shown(std::string_view place, const Picture& picture, const Options& with = options()) {
  return render("<<" + std::string(place) + ">>", with, picture);
}

TEST(EdgeRules, sends_a_role_to_all_of_its_servers) {
  const auto text = shown("upstreams", {{{"audience", {kFirst, kSecond}}}, {}});
  EXPECT_THAT(text, HasSubstr("upstream audience {"));
  EXPECT_THAT(text, HasSubstr("server 10.0.0.1:8080 max_fails"));
  EXPECT_THAT(text, HasSubstr("server 10.0.0.2:8080 max_fails"));
}

TEST(EdgeRules, sends_what_any_node_serves_to_each_node_once) {
  const Picture picture{{{"anchor", {kFirst}}, {"audience", {kFirst, kSecond}}}, {}};
  const auto text = shown("upstreams", picture);
  const auto any = text.substr(text.find("upstream any {"));
  const auto block = any.substr(0, any.find('}'));
  const auto first = block.find("10.0.0.1:8080");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(block.find("10.0.0.1:8080", first + 1), std::string::npos);
  EXPECT_NE(block.find("10.0.0.2:8080"), std::string::npos);
}

TEST(EdgeRules, knows_which_roles_nobody_serves) {
  const auto text = shown("present", {{{"audience", {kFirst}}}, {}});
  EXPECT_THAT(text, HasSubstr("audience audience;"));
  EXPECT_THAT(text, HasSubstr("any any;"));
  EXPECT_THAT(text, Not(HasSubstr("finance")));
  EXPECT_THAT(shown("present", {}), IsEmpty());
}

TEST(EdgeRules, writes_ipv6_addresses_in_brackets) {
  const auto text = shown("upstreams", {{{"room", {{"node-6", "2001:db8::7", 9000}}}}, {}});
  EXPECT_THAT(text, HasSubstr("server [2001:db8::7]:9000 "));
  auto with = options();
  with.address = "::1";
  EXPECT_EQ(shown("listen", {}, with), "[::1]:80");
  EXPECT_EQ(shown("listen", {}), "0.0.0.0:80");
}

TEST(EdgeRules, blocks_networks_and_limits_all_but_those_exempt) {
  auto with = options();
  with.addressPerSecond = 50;
  with.addressBurst = 70;
  with.addressConnections = 9;
  with.exempt = {"127.0.0.0/8"};
  const Picture picture{{}, {"10.0.0.0/8", "2001:db8::/32"}};
  EXPECT_EQ(shown("blocked", picture, with), "    10.0.0.0/8 1;\n    2001:db8::/32 1;");
  EXPECT_EQ(shown("exempt", picture, with), "    127.0.0.0/8 0;");
  EXPECT_THAT(shown("limits", picture, with), HasSubstr("rate=50r/s"));
  EXPECT_THAT(shown("limits", picture, with), HasSubstr("burst=70 "));
  EXPECT_THAT(shown("limits", picture, with), HasSubstr("limit_conn connections 9;"));
}

TEST(EdgeRules, leaves_out_a_limit_of_zero) { EXPECT_THAT(shown("limits", {}), IsEmpty()); }

TEST(EdgeRules, keeps_the_servers_of_a_role_that_nobody_seems_to_serve) {
  const Picture before{{{"audience", {kFirst}}, {"finance", {kSecond}}}, {"10.0.0.0/8"}};
  const auto after = believed(before, {{{"audience", {kSecond}}}, {}});
  EXPECT_THAT(after.roles.at("audience"), ElementsAre(kSecond));
  EXPECT_THAT(after.roles.at("finance"), ElementsAre(kSecond));
  EXPECT_THAT(after.blocked, IsEmpty()) << "an empty list of blocked networks is one";
}

TEST(EdgeRules, believes_no_server_that_could_be_something_else_in_the_configuration) {
  for (const auto& bad :
       {Server{"n", "10.0.0.1;} http {", 80}, Server{"n", "", 80}, Server{"n", "unix:/run/x", 80},
        Server{"n", "10.0.0.1", 0}, Server{"n", "10.0.0.1", 65'536}, Server{"n", "a b", 80}}) {
    EXPECT_FALSE(isUsable(bad)) << bad.address << ' ' << bad.port;
    const auto after = believed({{{"finance", {kFirst}}}, {}}, {{{"finance", {bad}}}, {}});
    EXPECT_THAT(after.roles.at("finance"), ElementsAre(kFirst));
  }
  EXPECT_TRUE(isUsable({"n", "node-1.internal", 8080}));
  EXPECT_TRUE(isUsable({"n", "::1", 8080}));
}

TEST(EdgeRules, is_the_same_text_whatever_the_order_of_the_news) {
  const auto one = believed({}, {{{"audience", {kFirst, kSecond}}}, {"b", "a"}});
  const auto other = believed({}, {{{"audience", {kSecond, kFirst}}}, {"a", "b"}});
  EXPECT_EQ(shown("upstreams", one), shown("upstreams", other));
  EXPECT_EQ(one, other);
}

TEST(EdgeRules, answers_with_the_texts_of_the_catalogue_and_the_trace) {
  const auto texts = shown("problem_texts", {});
  EXPECT_THAT(texts, HasSubstr(std::string(info(ErrorCode::too_many_requests).zh)));
  EXPECT_THAT(texts, HasSubstr(R"(\"code\":\"route_not_found\")"));
  EXPECT_THAT(texts, HasSubstr(R"(\"traceId\":\"$trace_id\")"));
  EXPECT_THAT(shown("problems", {}), HasSubstr("return 429 $problem_too_many_requests;"));
}

TEST(EdgeRules, refuses_a_template_that_asks_for_what_there_is_not) {
  EXPECT_THROW((void)render("<<listen>> <<password>>", options(), {}), std::logic_error);
  EXPECT_EQ(render("a << b", options(), {}), "a << b");
}

TEST(EdgeRules, says_who_came_and_who_went) {
  const Picture before{{{"audience", {kFirst}}}, {}};
  const Picture after{{{"audience", {kSecond}}}, {"10.0.0.0/8"}};
  EXPECT_THAT(changes(before, after),
              ElementsAre("audience: +node-2 at 10.0.0.2:8080",
                          "audience: -node-1 at 10.0.0.1:8080", "blocked: +10.0.0.0/8"));
  EXPECT_THAT(changes(before, before), IsEmpty());
}

TEST(EdgeRules, counts_changes_that_are_too_many_to_name) {
  Picture after;
  for (int i = 0; i < 9; ++i) after.blocked.push_back("10.0.0." + std::to_string(i));
  EXPECT_THAT(changes({}, after), ElementsAre("blocked: +9 of them"));
}

}  // namespace
}  // namespace tipflow::edge
