#include "platform/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace tipflow {
namespace {

struct ConfigTest : testing::Test {
  ~ConfigTest() override { std::filesystem::remove(path()); }

  static std::string path() {
    return testing::TempDir() + "tipflow_config_test_" + std::to_string(getpid()) + ".toml";
  }
  static std::string file(const std::string& text) {
    std::ofstream(path()) << text;
    return path();
  }
  static Config load(const std::string& text, const std::map<std::string, std::string>& env = {},
                     const std::map<std::string, std::string>& flags = {}) {
    return loadConfig(text.empty() ? "" : file(text), env, flags).config;
  }
  // The words of the refusal; empty when it was none.
  static std::string refusal(const std::string& text,
                             const std::map<std::string, std::string>& env = {},
                             const std::map<std::string, std::string>& flags = {}) {
    try {
      load(text, env, flags);
      return "";
    } catch (const ConfigError& error) {
      return error.what();
    }
  }
  static bool names(const std::string& words, const std::string& what) {
    return words.find(what) != std::string::npos;
  }
};

TEST_F(ConfigTest, has_the_contracts_defaults) {
  const auto config = load("");
  EXPECT_EQ(config.dataDir, "./var");
  EXPECT_EQ(config.httpPort, 8080);
  EXPECT_EQ(config.db1Url, "sqlite:./var/db1.sqlite");
  EXPECT_EQ(config.db2Url, "sqlite:./var/db2.sqlite");
  EXPECT_EQ(config.redisUrl, "");
  EXPECT_EQ(config.consulUrl, "");
  EXPECT_TRUE(config.requireSignature);
  EXPECT_EQ(config.jobsHourlySeconds, 5);
  EXPECT_EQ(config.jobsRoundSeconds, 7'200);
  EXPECT_EQ(config.businessTimeZone, "Asia/Shanghai");
  EXPECT_FALSE(config.minorsMayTip);
}

TEST_F(ConfigTest, takes_the_variables_that_the_contract_fixes) {
  const auto config = load("", {{"TIPFLOW_DATA_DIR", "/srv/tipflow"},
                                {"TIPFLOW_HTTP_PORT", "9000"},
                                {"TIPFLOW_ADMIN_PASSWORD", "correct horse"},
                                {"TIPFLOW_DB1_URL", "mysql://u:p@h/one"},
                                {"TIPFLOW_DB2_URL", "mysql://u:p@h/two"},
                                {"TIPFLOW_REDIS_URL", ""},
                                {"TIPFLOW_CONSUL_URL", ""},
                                {"TIPFLOW_REQUIRE_SIGNATURE", "false"},
                                {"TIPFLOW_JOBS_HOURLY_SECONDS", "1"},
                                {"TIPFLOW_JOBS_ROUND_SECONDS", "60"}});
  EXPECT_EQ(config.dataDir, "/srv/tipflow");
  EXPECT_EQ(config.httpPort, 9000);
  EXPECT_EQ(config.adminPassword, "correct horse");
  EXPECT_EQ(config.db1Url, "mysql://u:p@h/one");
  EXPECT_EQ(config.db2Url, "mysql://u:p@h/two");
  EXPECT_FALSE(config.requireSignature);
  EXPECT_EQ(config.jobsHourlySeconds, 1);
  EXPECT_EQ(config.jobsRoundSeconds, 60);
}

TEST_F(ConfigTest, the_environment_overrides_the_file_and_flags_override_both) {
  const std::string text = "[http]\nport = 1001\nthreads = 3\naddress = \"10.0.0.1\"\n";
  const std::map<std::string, std::string> env{{"TIPFLOW_HTTP_PORT", "1002"},
                                               {"TIPFLOW_HTTP_THREADS", "4"}};
  const auto config = load(text, env, {{"http.port", "1003"}});
  EXPECT_EQ(config.httpPort, 1003);
  EXPECT_EQ(config.httpThreads, 4);
  EXPECT_EQ(config.httpAddress, "10.0.0.1");
}

TEST_F(ConfigTest, reads_tables_and_dotted_keys_of_the_file) {
  const auto config = load(
      "data_dir = \"/srv\"\nhttp.port = 81\n[security]\nrequire_signature = false\n"
      "[audience]\nlanes = 2\n");
  EXPECT_EQ(config.dataDir, "/srv");
  EXPECT_EQ(config.httpPort, 81);
  EXPECT_FALSE(config.requireSignature);
  EXPECT_EQ(config.lanes, 2);
}

TEST_F(ConfigTest, databases_without_an_address_are_files_of_the_data_directory) {
  const auto config = load("db2.url = \"sqlite:/elsewhere/two\"\n", {{"TIPFLOW_DATA_DIR", "/srv"}});
  EXPECT_EQ(config.db1Url, "sqlite:/srv/db1.sqlite");
  EXPECT_EQ(config.db2Url, "sqlite:/elsewhere/two");
}

TEST_F(ConfigTest, unknown_keys_of_a_file_or_flag_are_errors_that_name_them) {
  EXPECT_TRUE(names(refusal("[http]\nporrt = 80\n"), "http.porrt"));
  EXPECT_TRUE(names(refusal("porrt = 80\n"), "porrt"));
  EXPECT_TRUE(names(refusal("[http.port]\nx = 1\n"), "http.port.x"));
  EXPECT_TRUE(names(refusal("", {}, {{"http.porrt", "80"}}), "http.porrt"));
  EXPECT_TRUE(names(refusal("", {}, {{"TIPFLOW_HTTP_PORT", "80"}}), "TIPFLOW_HTTP_PORT"));
}

TEST_F(ConfigTest, an_unknown_variable_of_ours_is_warned_about_and_others_are_not_looked_at) {
  const auto loaded =
      loadConfig("", {{"TIPFLOW_HTTP_PORRT", "80"}, {"HTTP_PORT", "x"}, {"PATH", "/bin"}}, {});
  ASSERT_EQ(loaded.warnings.size(), 1U);
  EXPECT_TRUE(names(loaded.warnings.front(), "TIPFLOW_HTTP_PORRT"));
  EXPECT_TRUE(loadConfig("", {{"TIPFLOW_HTTP_PORRT", ""}}, {}).warnings.empty());
}

TEST_F(ConfigTest, an_empty_variable_is_as_good_as_none) {
  EXPECT_EQ(load("http.port = 81\n", {{"TIPFLOW_HTTP_PORT", ""}}).httpPort, 81);
}

TEST_F(ConfigTest, every_number_is_held_to_its_bounds) {
  int numbers = 0;
  for (const auto& key : configKeys()) {
    const auto* field = std::get_if<std::int64_t Config::*>(&key.field);
    if (field == nullptr) continue;
    ++numbers;
    SCOPED_TRACE(key.name);
    ASSERT_LT(key.least, key.most);
    const Config defaults;
    EXPECT_GE(defaults.**field, key.least);
    EXPECT_LE(defaults.**field, key.most);
    const auto withValue = [&](std::int64_t value) {
      return load("", {{key.environment, std::to_string(value)}}).**field;
    };
    EXPECT_EQ(withValue(key.least), key.least);
    EXPECT_EQ(withValue(key.most), key.most);
    for (const auto value : {key.least - 1, key.most + 1}) {
      const auto words = refusal("", {{key.environment, std::to_string(value)}});
      EXPECT_TRUE(names(words, key.name)) << words;
      EXPECT_TRUE(names(words, key.environment)) << words;
    }
  }
  EXPECT_GT(numbers, 5);
}

TEST_F(ConfigTest, numbers_are_whole_and_written_in_digits) {
  for (const auto* text :
       {"80x", "x", " 80", "80 ", "8.0", "0x50", "+80", "1e3", "99999999999999999999"}) {
    EXPECT_TRUE(names(refusal("", {{"TIPFLOW_HTTP_PORT", text}}), "http.port")) << text;
  }
  EXPECT_TRUE(names(refusal("[http]\nport = 80.5\n"), "http.port"));
  EXPECT_TRUE(names(refusal("[http]\nport = [80]\n"), "http.port"));
  EXPECT_TRUE(names(refusal("[http]\nport = 2026-01-31\n"), "http.port"));
  EXPECT_TRUE(names(refusal("[http]\nport = true\n"), "http.port"));
}

TEST_F(ConfigTest, switches_are_true_or_false_and_nothing_like_it) {
  EXPECT_TRUE(load("", {{"TIPFLOW_POLICY_MINORS_MAY_TIP", "true"}}).minorsMayTip);
  for (const auto* text : {"1", "0", "yes", "no", "True", "TRUE", "on"}) {
    EXPECT_TRUE(
        names(refusal("", {{"TIPFLOW_REQUIRE_SIGNATURE", text}}), "security.require_signature"))
        << text;
  }
}

TEST_F(ConfigTest, words_are_of_their_list) {
  EXPECT_EQ(load("", {{"TIPFLOW_LOG_LEVEL", "warn"}}).logLevel, "warn");
  EXPECT_TRUE(names(refusal("", {{"TIPFLOW_LOG_LEVEL", "trace"}}), "log.level"));
  EXPECT_TRUE(names(refusal("", {{"TIPFLOW_LOG_TO", "syslog"}}), "log.to"));
  EXPECT_TRUE(
      names(refusal("", {{"TIPFLOW_FINANCE_SANDBOX_MODE", "maybe"}}), "finance.sandbox_mode"));
}

TEST_F(ConfigTest, a_broken_file_is_named_with_the_line) {
  const auto words = refusal("[http]\nport = 80\nport = = 81\n");
  EXPECT_TRUE(names(words, path())) << words;
  EXPECT_TRUE(names(words, "3")) << words;
  EXPECT_FALSE(refusal("[http]\nport = 80\nport = 81\n").empty()) << "a key given twice";
}

TEST_F(ConfigTest, a_malformed_time_is_an_error_and_not_the_end) {
  EXPECT_TRUE(names(refusal("node = 2026-01-31T:8030:00Z\n"), path()));
}

TEST_F(ConfigTest, a_file_that_is_not_there_is_an_error) {
  EXPECT_THROW((void)loadConfig(path() + ".missing", {}, {}), ConfigError);
}

TEST_F(ConfigTest, an_address_of_consul_that_is_none_is_refused_by_name) {
  EXPECT_EQ(refusal("", {{"TIPFLOW_CONSUL_URL", "http://127.0.0.1:8500"}}), "");
  for (const auto* wrong : {"consul", "127.0.0.1:8500", "http://", "http://h:8500/v1"}) {
    EXPECT_TRUE(names(refusal("", {{"TIPFLOW_CONSUL_URL", wrong}}), "consul.url: ")) << wrong;
  }
}

TEST_F(ConfigTest, a_node_of_many_that_listens_everywhere_must_say_where_it_is) {
  std::map<std::string, std::string> node{{"TIPFLOW_CONSUL_URL", "http://127.0.0.1:8500"},
                                          {"TIPFLOW_HTTP_ADDRESS", "0.0.0.0"}};
  EXPECT_TRUE(names(refusal("", node), "cluster.address: "));
  node["TIPFLOW_CLUSTER_ADDRESS"] = "10.0.0.7";
  EXPECT_EQ(refusal("", node), "");
}

TEST_F(ConfigTest, an_address_of_redis_that_is_none_is_refused_by_name) {
  EXPECT_EQ(refusal("", {{"TIPFLOW_REDIS_URL", "redis://:secret@127.0.0.1:6379/2"}}), "");
  for (const auto* wrong : {"redis", "http://h:6379", "redis://", "redis://h:0", "redis://h/two"}) {
    EXPECT_TRUE(names(refusal("", {{"TIPFLOW_REDIS_URL", wrong}}), "redis.url: ")) << wrong;
  }
  EXPECT_FALSE(names(refusal("", {{"TIPFLOW_REDIS_URL", "redis://u:secret@h:x"}}), "secret"));
}

TEST_F(ConfigTest, every_key_is_declared_once_and_explained_in_the_reference) {
  std::set<std::string> keyNames;
  std::set<std::string> variables;
  const auto reference = configReference();
  for (const auto& key : configKeys()) {
    EXPECT_TRUE(keyNames.insert(key.name).second) << key.name;
    EXPECT_TRUE(variables.insert(key.environment).second) << key.environment;
    EXPECT_TRUE(key.environment.starts_with("TIPFLOW_")) << key.environment;
    EXPECT_FALSE(key.help.empty()) << key.name;
    EXPECT_TRUE(names(reference, key.name)) << key.name;
    EXPECT_TRUE(names(reference, key.environment)) << key.environment;
    EXPECT_TRUE(names(reference, key.help)) << key.name;
  }
}

TEST_F(ConfigTest, in_production_needs_signed_requests) {
  EXPECT_FALSE(load("").production);
  EXPECT_TRUE(load("production = true").production);
  EXPECT_TRUE(names(refusal("production = true\n[security]\nrequire_signature = false"),
                    "security.require_signature"));
}

TEST_F(ConfigTest, networks_keys_and_names_that_are_none_are_refused_by_name) {
  EXPECT_TRUE(names(refusal("[http]\ntrusted_proxies = \"10.0.0.1/8\""),
                    "http.trusted_proxies: '10.0.0.1/8'"));
  EXPECT_TRUE(
      names(refusal("", {{"TIPFLOW_LIMITS_EXEMPT", "localhost"}}), "limits.exempt: 'localhost'"));
  EXPECT_EQ(refusal("", {{"TIPFLOW_LIMITS_EXEMPT", "127.0.0.0/8, 2001:db8::/32"}}), "");
  for (const auto& key : {std::string(63, 'a'), std::string(64, 'g'), std::string(66, 'a')}) {
    EXPECT_TRUE(names(refusal("", {{"TIPFLOW_CLUSTER_KEY", key}}), "cluster.key: must be 64 hex"));
  }
  EXPECT_EQ(refusal("", {{"TIPFLOW_CLUSTER_KEY", std::string(64, 'a')}}), "");
  EXPECT_TRUE(names(refusal("node = \"a node\""), "node: must be"));
  EXPECT_TRUE(names(refusal("", {{"TIPFLOW_LIMITS_VIEWER_BURST", "0"}}),
                    "limits.viewer_burst (TIPFLOW_LIMITS_VIEWER_BURST): must be from 1"));
}

}  // namespace
}  // namespace tipflow
