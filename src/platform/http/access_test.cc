#include "platform/http/access.h"

#include <gtest/gtest.h>

namespace tipflow::http {
namespace {

Principal principal(PrincipalKind kind, Role role, std::int64_t id = 9) {
  Principal made;
  made.kind = kind;
  made.role = role;
  made.id = id;
  return made;
}

const Principal kViewer = principal(PrincipalKind::viewer, Role::viewer);
const Principal kAnchor = principal(PrincipalKind::anchor, Role::anchor);
const Principal kOperator = principal(PrincipalKind::operator_, Role::operator_);
const Principal kAdmin = principal(PrincipalKind::operator_, Role::admin);

TEST(Access, without_a_rule_allows_nobody_and_says_so) {
  const Access none;
  EXPECT_FALSE(none.declared());
  EXPECT_FALSE(none.open());
  for (const auto& who : {kViewer, kAnchor, kOperator, kAdmin}) {
    EXPECT_FALSE(none.allows(who, 0));
    EXPECT_FALSE(none.allows(who, 9));
  }
}

TEST(Access, of_anyone_is_open) {
  EXPECT_TRUE(Access::anyone().declared());
  EXPECT_TRUE(Access::anyone().open());
  EXPECT_EQ(Access::anyone().shown(), "anyone");
}

TEST(Access, is_by_role) {
  const auto admins = Access::of({Role::admin});
  EXPECT_TRUE(admins.allows(kAdmin, 0));
  for (const auto& who : {kViewer, kAnchor, kOperator}) EXPECT_FALSE(admins.allows(who, 9));

  const auto operators = Access::operators();
  EXPECT_TRUE(operators.allows(kOperator, 0));
  EXPECT_TRUE(operators.allows(kAdmin, 0));
  EXPECT_FALSE(operators.allows(kAnchor, 9));

  for (const auto& who : {kViewer, kAnchor, kOperator, kAdmin}) {
    EXPECT_TRUE(Access::signedIn().allows(who, 0));
  }
  EXPECT_FALSE(Access::signedIn().open());
}

TEST(Access, of_the_owner_is_by_kind_and_id_together) {
  const auto own = Access::operators().orOwnAnchor();
  EXPECT_TRUE(own.allows(kAnchor, 9));
  EXPECT_FALSE(own.allows(kAnchor, 8));
  EXPECT_FALSE(own.allows(kAnchor, 0));
  EXPECT_FALSE(own.allows(kViewer, 9)) << "a viewer with the anchor's number";
  EXPECT_TRUE(own.allows(kOperator, 8));

  const auto ownViewer = Access::of({Role::admin}).orOwnViewer();
  EXPECT_TRUE(ownViewer.allows(kViewer, 9));
  EXPECT_FALSE(ownViewer.allows(kAnchor, 9));
  EXPECT_FALSE(ownViewer.allows(kOperator, 9)) << "an operator with the viewer's number";
}

TEST(Access, of_nodes_is_for_nobody_with_a_token) {
  const auto nodes = Access::nodes();
  EXPECT_TRUE(nodes.declared());
  EXPECT_TRUE(nodes.forNodes());
  EXPECT_FALSE(nodes.open());
  for (const auto& who : {kViewer, kAnchor, kOperator, kAdmin}) EXPECT_FALSE(nodes.allows(who, 9));
  EXPECT_FALSE(Access::anyone().forNodes());
}

TEST(Access, is_shown_in_words) {
  EXPECT_EQ(Access::operators().orOwnAnchor().shown(), "admin, operator, own anchor");
  EXPECT_EQ(Access::signedIn().narrowedTo("own tips").shown(),
            "admin, operator, anchor, viewer (own tips)");
}

}  // namespace
}  // namespace tipflow::http
