#include "platform/http/call.h"

#include <gtest/gtest.h>

#include "platform/security/crypto.h"

namespace tipflow::http {
namespace {

struct CallTest : testing::Test {
  static void SetUpTestSuite() { crypto::initialise(); }

  Call call;
  CallTest() { call.request = drogon::HttpRequest::newHttpRequest(); }

  void query(const std::string& name, const std::string& value) {
    call.request->setParameter(name, value);
  }
  // `field code` of the one thing that is wrong; empty when nothing is.
  template <class Read>
  static std::string fault(Read read) {
    try {
      (void)read();
      return "";
    } catch (const BadRequest& bad) {
      EXPECT_EQ(bad.rejection().code, ErrorCode::invalid_request);
      EXPECT_EQ(bad.rejection().errors.size(), 1U);
      const auto& error = bad.rejection().errors.front();
      return error.field + " " + std::string(info(error.code).code);
    }
  }
};

TEST_F(CallTest, ids_are_positive_integers_below_2_to_the_53rd) {
  EXPECT_EQ(Call::parseId("1"), 1);
  EXPECT_EQ(Call::parseId("9007199254740991"), kIdEnd - 1);
  for (const auto* text : {"", "0", "-1", "9007199254740992", "99999999999999999999", "1x", "x",
                           " 1", "1 ", "1.0", "+1", "0x1"}) {
    EXPECT_FALSE(Call::parseId(text)) << text;
  }
}

TEST_F(CallTest, an_id_in_the_path_that_cannot_exist_is_not_found) {
  call.path = {"7", "x"};
  EXPECT_EQ(call.pathId<RoomId>(0, ErrorCode::room_not_found), RoomId{7});
  try {
    (void)call.pathId<RoomId>(1, ErrorCode::room_not_found);
    FAIL();
  } catch (const Refused& refused) {
    EXPECT_EQ(refused.rejection().code, ErrorCode::room_not_found);
  }
}

TEST_F(CallTest, a_trace_id_in_the_path_is_taken_with_or_without_dashes) {
  call.path = {"0192F3A4-B5C6-7D8E-9FA0-B1C2D3E4F506", "0192"};
  EXPECT_EQ(call.pathTraceId(0).hex(), "0192f3a4b5c67d8e9fa0b1c2d3e4f506");
  EXPECT_EQ(fault([&] { return call.pathTraceId(1); }), "traceId invalid_format");
}

TEST_F(CallTest, an_absent_or_empty_parameter_is_none) {
  query("empty", "");
  EXPECT_FALSE(call.text("empty"));
  EXPECT_FALSE(call.text("absent"));
  EXPECT_FALSE(call.integer("absent", 1, 2));
  EXPECT_FALSE(call.time("absent"));
  EXPECT_FALSE(call.id<AnchorId>("absent"));
  EXPECT_FALSE(call.word<Gender>("absent"));
  EXPECT_FALSE(call.pageToken(1));
  EXPECT_EQ(call.pageSize(), 20);
}

TEST_F(CallTest, a_parameter_has_a_bounded_length) {
  query("q", std::string(256, 'a'));
  EXPECT_EQ(call.text("q")->size(), 256U);
  query("q", std::string(257, 'a'));
  EXPECT_EQ(fault([&] { return call.text("q"); }), "q out_of_range");
}

TEST_F(CallTest, what_takes_no_body_refuses_one_that_says_anything) {
  const auto read = [&](const char* body) {
    call.request->setBody(body);
    return fault([&] {
      call.noBody();
      return true;
    });
  };
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("{}"), "");
  EXPECT_EQ(read(R"({"force":true})"), "force unknown_field");
}

TEST_F(CallTest, a_parameter_is_text) {
  query("q", "\xe5\x90\x89");
  EXPECT_EQ(call.text("q"), "\xe5\x90\x89");
  query("q", "\xff");
  EXPECT_EQ(fault([&] { return call.text("q"); }), "q invalid_format");
}

TEST_F(CallTest, a_range_does_not_end_before_it_begins) {
  query("from", "2026-01-31T00:00:00Z");
  EXPECT_FALSE(call.range().to);
  query("to", "2026-01-31T00:00:00Z");
  EXPECT_EQ(call.range().to, call.range().from);
  query("to", "2026-01-30T23:59:59.999Z");
  EXPECT_EQ(fault([&] { return call.range(); }), "to out_of_range");
}

TEST_F(CallTest, integers_in_the_query_are_held_to_their_range) {
  const auto read = [&](const std::string& text) {
    query("n", text);
    return fault([&] { return call.integer("n", 1, 10); });
  };
  EXPECT_EQ(read("1"), "");
  EXPECT_EQ(read("10"), "");
  for (const auto* text : {"0", "11", "-1", "99999999999999999999", "9223372036854775807"}) {
    EXPECT_EQ(read(text), "n out_of_range") << text;
  }
  for (const auto* text : {"x", "1x", "1.0", "1e1", " 1", "+1"}) {
    EXPECT_EQ(read(text), "n wrong_type") << text;
  }
}

TEST_F(CallTest, page_sizes_are_1_to_100) {
  for (const auto* text : {"1", "100"}) {
    query("pageSize", text);
    EXPECT_EQ(std::to_string(call.pageSize()), text);
  }
  for (const auto* text : {"0", "101", "-5"}) {
    query("pageSize", text);
    EXPECT_EQ(fault([&] { return call.pageSize(); }), "pageSize out_of_range") << text;
  }
}

TEST_F(CallTest, times_ids_and_words_in_the_query_are_read_as_in_a_body) {
  query("from", "2026-01-31T08:30:00+08:00");
  EXPECT_EQ(call.time("from"), parseTime("2026-01-31T00:30:00Z"));
  query("from", "yesterday");
  EXPECT_EQ(fault([&] { return call.time("from"); }), "from invalid_format");

  query("anchorId", "31");
  EXPECT_EQ(call.id<AnchorId>("anchorId"), AnchorId{31});
  query("anchorId", "0");
  EXPECT_EQ(fault([&] { return call.id<AnchorId>("anchorId"); }), "anchorId out_of_range");

  query("anchorGender", "female");
  EXPECT_EQ(call.word<Gender>("anchorGender"), Gender::female);
  query("anchorGender", "none");
  EXPECT_EQ(fault([&] { return call.word<Gender>("anchorGender"); }),
            "anchorGender invalid_format");
}

TEST_F(CallTest, a_page_token_reads_back_as_it_was_made) {
  const auto most = std::numeric_limits<std::int64_t>::max();
  query("pageToken", makePageToken({most, -1, 0}));
  const std::vector<std::int64_t> expected{most, -1, 0};
  EXPECT_EQ(call.pageToken(3), expected);
  EXPECT_EQ(fault([&] { return call.pageToken(2); }), "pageToken invalid_format");
  EXPECT_EQ(fault([&] { return call.pageToken(4); }), "pageToken invalid_format");
}

TEST_F(CallTest, a_page_token_that_no_list_gave_out_is_refused) {
  for (const auto& token :
       {std::string("x"), std::string("!!!!"), crypto::toBase64Url("a"), crypto::toBase64Url("1:x"),
        crypto::toBase64Url("99999999999999999999:1"), crypto::toBase64Url("1 2"),
        crypto::toBase64Url(":1:2")}) {
    query("pageToken", token);
    EXPECT_EQ(fault([&] { return call.pageToken(2); }), "pageToken invalid_format") << token;
  }
}

TEST_F(CallTest, knows_who_asks_and_refuses_those_who_are_somebody_else) {
  EXPECT_THROW((void)call.viewer(), Refused);
  EXPECT_THROW((void)call.anchor(), Refused);
  EXPECT_FALSE(call.isOperator());

  const auto as = [&](PrincipalKind kind, Role role) {
    Principal principal;
    principal.kind = kind;
    principal.role = role;
    principal.id = 9;
    call.principal = std::make_shared<const Principal>(principal);
  };
  as(PrincipalKind::viewer, Role::viewer);
  EXPECT_EQ(call.viewer(), ViewerId{9});
  EXPECT_THROW((void)call.anchor(), Refused);
  EXPECT_FALSE(call.isOperator());
  as(PrincipalKind::anchor, Role::anchor);
  EXPECT_EQ(call.anchor(), AnchorId{9});
  EXPECT_THROW((void)call.viewer(), Refused);
  as(PrincipalKind::operator_, Role::admin);
  EXPECT_TRUE(call.isOperator());
  EXPECT_TRUE(call.is(Role::admin));
  EXPECT_FALSE(call.is(Role::operator_));
  EXPECT_THROW((void)call.viewer(), Refused);
}

struct Item {
  std::int64_t id = 0;
};
BOOST_DESCRIBE_STRUCT(Item, (), (id))

TEST_F(CallTest, answers_are_json_with_their_status) {
  const auto created = http::created(Item{7});
  EXPECT_EQ(created->getStatusCode(), drogon::k201Created);
  EXPECT_EQ(created->body(), R"({"id":7})");
  EXPECT_EQ(created->contentType(), drogon::CT_APPLICATION_JSON);
  EXPECT_EQ(ok(Item{7})->getStatusCode(), drogon::k200OK);
  EXPECT_EQ(noContent()->getStatusCode(), drogon::k204NoContent);
  EXPECT_EQ(noContent()->body(), "");
}

TEST_F(CallTest, a_page_says_whether_there_is_another) {
  Page<Item> list;
  EXPECT_EQ(page(list)->body(), R"({"items":[],"nextPageToken":null})");
  list.items = {{1}, {2}};
  list.nextPageToken = "abc";
  EXPECT_EQ(page(list)->body(), R"({"items":[{"id":1},{"id":2}],"nextPageToken":"abc"})");
}

TEST_F(CallTest, a_refused_result_is_thrown_with_all_it_says) {
  EXPECT_EQ(orRefuse(Result<int>(7)), 7);
  try {
    orRefuse(Result<int>(Rejection{ErrorCode::range_too_long, "at most 366 days"}));
    FAIL();
  } catch (const Refused& refused) {
    EXPECT_EQ(refused.rejection().code, ErrorCode::range_too_long);
    EXPECT_EQ(refused.rejection().detail, "at most 366 days");
  }
}

}  // namespace
}  // namespace tipflow::http
