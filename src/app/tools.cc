// `tipflow migrate`, `audit`, `routes`, `version`.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "app/commands.h"
#include "app/node.h"
#include "app/version.h"
#include "audit/read.h"
#include "audit/record.h"
#include "platform/business_time.h"
#include "platform/db/migrate.h"

namespace tipflow::app {
namespace {

constexpr int kMatches = 0;
constexpr int kDoesNotMatch = 1;
constexpr int kCouldNotLook = 2;

/// Looking must not make a database that is not there.
std::unique_ptr<db::Connection> openExisting(const std::string& text) {
  const auto url = db::Url::parse(text);
  if (url.dialect == db::Dialect::sqlite && !std::filesystem::exists(url.file)) {
    throw std::runtime_error(url.file + " does not exist");
  }
  return db::connect(url);
}

std::vector<audit::Finding> auditRecord(const std::string& file, db::Connection& db1,
                                        const audit::Progress& progress) {
  std::ifstream lines(file);
  if (!lines) throw std::runtime_error(file + " cannot be opened");
  try {
    auto outcomes = audit::readRecord(lines);
    audit::addRows(outcomes, db1, progress);
    return outcomes.findings();
  } catch (const db::Error&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(file + ", " + error.what());
  }
}

/// Whether all of them hold.
bool print(const std::vector<audit::Finding>& findings) {
  bool holds = true;
  for (const auto& finding : findings) {
    holds = holds && finding.faults == 0;
    std::cout << fmt::format("{:<4} {:<6} {}\n            {}\n", finding.id,
                             finding.faults == 0 ? "holds" : "BROKEN", finding.says,
                             finding.figures);
    if (finding.faults == 0) continue;
    std::cout << fmt::format("            {} faults, the first:\n", finding.faults);
    for (const auto& example : finding.examples) std::cout << "              " << example << '\n';
  }
  return holds;
}

}  // namespace

int migrate(const Config& config) {
  for (const auto& [name, folder, text] :
       {std::tuple{"DB1", "db1", config.db1Url}, std::tuple{"DB2", "db2", config.db2Url}}) {
    const auto url = db::Url::parse(text);
    const auto connection = db::connect(url);
    const auto done = db::migrate(*connection, db::embeddedMigrations(folder), SystemClock{}.now());
    std::cout << fmt::format("{} ({}): {}\n", name, url.shown(),
                             done.empty() ? "is up to date" : "migrated");
    for (const auto& migration : done) std::cout << "  " << migration << '\n';
  }
  return 0;
}

int audit(const Config& config, const std::string& record) {
  const bool live = isatty(STDERR_FILENO) == 1;
  const auto progress = [live](std::int64_t tips) {
    if (live) std::cerr << fmt::format("\r\033[Kreading: {} tips", tips) << std::flush;
  };
  try {
    const auto db1 = openExisting(config.db1Url);
    const auto db2 = openExisting(config.db2Url);
    std::vector<audit::Finding> findings;
    if (!record.empty()) findings = auditRecord(record, *db1, progress);
    auto books = audit::readBooks(*db1, *db2, progress);
    for (auto& finding : books.findings()) findings.push_back(std::move(finding));
    const BusinessTime days(config.businessTimeZone);
    auto sums = audit::readSums(
        *db2, [&](std::int64_t hour) { return days.localHour(Time{hour}).day; }, progress);
    findings.push_back(sums.finding());
    if (live) std::cerr << "\r\033[K";
    const bool holds = print(findings);
    std::cout << (holds ? "The books match.\n" : "The books do NOT match.\n");
    return holds ? kMatches : kDoesNotMatch;
  } catch (const std::exception& error) {
    std::cerr << "error: could not look: " << error.what() << '\n';
    return kCouldNotLook;
  }
}

int printRoutes(const Config& config) {
  const std::string anyKey(2 * SecretKey::kBytes, '0');
  KeySource tokenKeys(KeyKind::token, anyKey, {});
  KeySource dataKeys(KeyKind::data, "none:" + anyKey, {});
  const Node node(config, allRoles(), {tokenKeys, dataKeys, std::string(SecretKey::kBytes, '0')});
  auto routes = node.routes();
  std::sort(routes.begin(), routes.end(), [](const http::Route& a, const http::Route& b) {
    return std::pair(a.path, name(a.method)) < std::pair(b.path, name(b.method));
  });
  for (const auto& route : routes) {
    std::cout << fmt::format("{:<6} {:<48} {}{}\n", name(route.method), route.path,
                             route.access.shown(),
                             route.signing == http::Signing::none ? "" : "; signed");
  }
  return 0;
}

int printVersion() {
  std::cout << versionLine() << '\n';
  return 0;
}

}  // namespace tipflow::app
