// The viewers' tables in DB1: SQL in, model types out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audience/client.h"
#include "audience/model.h"
#include "audience/rules.h"
#include "platform/db/connection.h"
#include "platform/sign_in.h"

namespace tipflow::audience::store {

struct NewViewer {
  ViewerKind kind = ViewerKind::guest;
  std::optional<std::string> name;          ///< registered only
  std::optional<std::string> passwordHash;  ///< registered only
  Gender gender = Gender::unknown;
  std::optional<std::int64_t> age;
  std::string region;
  std::vector<std::string> tags;
  Time createdAt;
};

/// Throws db::DuplicateKey when the name is taken.
ViewerId insertViewer(db::Connection& connection, const NewViewer& viewer);
enum class Changed { done, notFound, notAllowed };
/// Applies what is set; a guest has no name or password to change (notAllowed).
Changed changeViewer(db::Connection& connection, ViewerId id, const ChangeViewer& change,
                     const std::optional<std::string>& passwordHash);
/// A guest becomes registered, under the same id; notAllowed when it is not a guest.
Changed upgradeViewer(db::Connection& connection, ViewerId id, const NewViewer& viewer);
bool setState(db::Connection& connection, ViewerId id, ViewerState state);

std::optional<Viewer> viewer(db::Connection& connection, ViewerId id);
std::vector<Viewer> viewers(db::Connection& connection, const std::optional<std::string>& name,
                            std::optional<ViewerKind> kind, std::int64_t before, int limit);
std::vector<ViewerCard> cards(db::Connection& connection, const std::vector<ViewerId>& ids);
/// Those of `ids` that exist.
std::vector<ViewerFacts> facts(db::Connection& connection, const std::vector<ViewerId>& ids);
/// See AudienceClient::tagUse.
std::vector<TagUse> tagUse(db::Connection& connection, const std::optional<std::string>& part,
                           const std::string& after, int limit);
std::optional<Account> account(db::Connection& connection, const std::string& name);

}  // namespace tipflow::audience::store
