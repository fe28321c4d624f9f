#include "platform/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace tipflow {
namespace {

constexpr auto kLeastInteger = std::numeric_limits<std::int64_t>::min();
constexpr auto kMostInteger = std::numeric_limits<std::int64_t>::max();

struct Number {
  Ranged<1, 100'000'000> n;
};
BOOST_DESCRIBE_STRUCT(Number, (), (n))

struct AnyInteger {
  Ranged<kLeastInteger, kMostInteger> n;
};
BOOST_DESCRIBE_STRUCT(AnyInteger, (), (n))

struct Named {
  Text<1, 4> name;
};
BOOST_DESCRIBE_STRUCT(Named, (), (name))

struct Login {
  Secret<8, 12> password;
};
BOOST_DESCRIBE_STRUCT(Login, (), (password))

struct Flagged {
  bool flag = false;
};
BOOST_DESCRIBE_STRUCT(Flagged, (), (flag))

struct Traced {
  TraceId traceId;
};
BOOST_DESCRIBE_STRUCT(Traced, (), (traceId))

struct Timed {
  Time at;
};
BOOST_DESCRIBE_STRUCT(Timed, (), (at))

struct Gendered {
  Gender gender = Gender::unknown;
};
BOOST_DESCRIBE_STRUCT(Gendered, (), (gender))

struct Gift {
  Ranged<1, 9> count;
  std::optional<Text<1, 4>> note;
};
BOOST_DESCRIBE_STRUCT(Gift, (), (count, note))

struct Order {
  TraceId traceId;
  Gift gift;
  std::optional<Gift> second;
  json::List<Gift, 0, 3> gifts;
  json::List<Text<1, 4>, 1, 2> tags;
};
BOOST_DESCRIBE_STRUCT(Order, (), (traceId, gift, second, gifts, tags))

// What is wrong with `text` as a T, one `field code` each; empty when nothing is.
template <class T>
std::vector<std::string> faults(std::string_view text) {
  try {
    (void)json::readBody<T>(text);
    return {};
  } catch (const BadRequest& bad) {
    std::vector<std::string> found;
    for (const auto& error : bad.rejection().errors) {
      EXPECT_FALSE(error.detail.empty()) << error.field;
      found.push_back(error.field + " " + std::string(info(error.code).code));
    }
    if (found.empty()) found.emplace_back(info(bad.rejection().code).code);
    return found;
  }
}

using Faults = std::vector<std::string>;

// Reading integers ----------------------------------------------------------------------------

TEST(JsonIntegers, are_read_from_end_to_end_of_their_range) {
  EXPECT_EQ(json::readBody<Number>(R"({"n":1})").n.value, 1);
  EXPECT_EQ(json::readBody<Number>(R"({"n":100000000})").n.value, 100'000'000);
  EXPECT_EQ(json::readBody<AnyInteger>(R"({"n":9223372036854775807})").n.value, kMostInteger);
  EXPECT_EQ(json::readBody<AnyInteger>(R"({"n":-9223372036854775808})").n.value, kLeastInteger);
}

TEST(JsonIntegers, beyond_their_range_are_out_of_range_however_large) {
  for (const auto* number : {"0", "-1", "100000001", "9223372036854775807", "-9223372036854775808",
                             "9223372036854775808", "18446744073709551615"}) {
    EXPECT_EQ(faults<Number>(fmt::format(R"({{"n":{}}})", number)), Faults{"n out_of_range"})
        << number;
  }
  EXPECT_EQ(faults<AnyInteger>(R"({"n":9223372036854775808})"), Faults{"n out_of_range"});
}

TEST(JsonIntegers, that_no_64_bits_hold_are_refused_and_never_wrapped_or_rounded) {
  for (const auto* number : {"18446744073709551616", "-9223372036854775809",
                             "100000000000000000000000000000000000000000"}) {
    EXPECT_EQ(faults<AnyInteger>(fmt::format(R"({{"n":{}}})", number)).size(), 1U) << number;
  }
}

TEST(JsonIntegers, are_not_written_with_point_or_exponent_or_as_anything_else) {
  for (const auto* value : {"1e3", "1E3", "1.0", "1.5", "1e0", "1e-1", R"("1")", "true", "null",
                            "[1]", "{}", R"("")"}) {
    EXPECT_EQ(faults<Number>(fmt::format(R"({{"n":{}}})", value)), Faults{"n wrong_type"}) << value;
  }
}

TEST(JsonIntegers, are_not_written_as_json_does_not_write_them) {
  for (const auto* value : {"01", "+1", "0x1", "1.", ".1", "NaN", "Infinity", "1_000", "--1"}) {
    EXPECT_EQ(faults<Number>(fmt::format(R"({{"n":{}}})", value)), Faults{"malformed_json"})
        << value;
  }
}

// Reading text --------------------------------------------------------------------------------

TEST(JsonText, is_counted_in_characters_whatever_their_bytes) {
  EXPECT_EQ(json::readBody<Named>(R"({"name":"abcd"})").name.value, "abcd");
  EXPECT_EQ(json::readBody<Named>(R"({"name":"主播打赏"})").name.value, "主播打赏");
  EXPECT_EQ(json::readBody<Named>(R"({"name":"🎁🎁🎁🎁"})").name.value, "🎁🎁🎁🎁");
  EXPECT_EQ(json::readBody<Named>(R"({"name":"\ud83c\udf81"})").name.value, "🎁");
  for (const auto* name : {"abcde", "主播打赏啊", "🎁🎁🎁🎁🎁"}) {
    EXPECT_EQ(faults<Named>(fmt::format(R"({{"name":"{}"}})", name)), Faults{"name out_of_range"})
        << name;
  }
}

TEST(JsonText, loses_white_space_at_its_ends_before_it_is_measured) {
  EXPECT_EQ(json::readBody<Named>(R"({"name":"  ab  "})").name.value, "ab");
  EXPECT_EQ(json::readBody<Named>(R"({"name":"\t\r\nab\n"})").name.value, "ab");
  EXPECT_EQ(json::readBody<Named>(R"({"name":"a  b"})").name.value, "a  b");
  for (const auto* blank : {"", " ", "   ", R"(\t\n)", "\u3000\u3000", "\u200B", "\uFEFF \u2060"}) {
    EXPECT_EQ(faults<Named>(fmt::format(R"({{"name":"{}"}})", blank)), Faults{"name out_of_range"});
  }
}

TEST(JsonText, holds_no_control_characters) {
  for (const auto* text : {R"(a\u0000b)", R"(a\nb)", R"(a\tb)", R"(a\u001fb)", R"(\u0007)",
                           "a\x7f"
                           "b"}) {
    EXPECT_EQ(faults<Named>(fmt::format(R"({{"name":"{}"}})", text)), Faults{"name invalid_format"})
        << text;
  }
}

TEST(JsonText, is_text_and_nothing_else) {
  for (const auto* value : {"1", "true", "null", R"(["a"])", R"({"a":"b"})"}) {
    EXPECT_EQ(faults<Named>(fmt::format(R"({{"name":{}}})", value)), Faults{"name wrong_type"})
        << value;
  }
}

TEST(JsonSecret, is_taken_as_it_is_and_measured_in_bytes) {
  EXPECT_EQ(json::readBody<Login>(R"({"password":"  12345 "})").password.value, "  12345 ");
  EXPECT_EQ(json::readBody<Login>(R"({"password":"打赏打赏"})").password.value.size(), 12U);
  EXPECT_EQ(faults<Login>(R"({"password":"1234567"})"), Faults{"password out_of_range"});
  EXPECT_EQ(faults<Login>(R"({"password":"打赏打赏啊"})"), Faults{"password out_of_range"});
  EXPECT_EQ(faults<Login>(R"({"password":12345678})"), Faults{"password wrong_type"});
}

// Reading everything else ---------------------------------------------------------------------

TEST(JsonBool, is_true_or_false_and_nothing_like_it) {
  EXPECT_TRUE(json::readBody<Flagged>(R"({"flag":true})").flag);
  EXPECT_FALSE(json::readBody<Flagged>(R"({"flag":false})").flag);
  for (const auto* value : {"1", "0", R"("true")", "null", "[]"}) {
    EXPECT_EQ(faults<Flagged>(fmt::format(R"({{"flag":{}}})", value)), Faults{"flag wrong_type"})
        << value;
  }
}

TEST(JsonTraceId, is_a_uuid_or_32_hex_digits) {
  const auto id = TraceId::parse("0192f3a4b5c67d8e9fa0b1c2d3e4f506");
  for (const auto* text :
       {"0192f3a4b5c67d8e9fa0b1c2d3e4f506", "0192F3A4-B5C6-7D8E-9FA0-B1C2D3E4F506"}) {
    EXPECT_EQ(json::readBody<Traced>(fmt::format(R"({{"traceId":"{}"}})", text)).traceId, id);
  }
  for (const auto* text :
       {"", "0192", "0192f3a4b5c67d8e9fa0b1c2d3e4f50z", "{0192f3a4-b5c6-7d8e-9fa0-b1c2d3e4f506}"}) {
    EXPECT_EQ(faults<Traced>(fmt::format(R"({{"traceId":"{}"}})", text)),
              Faults{"traceId invalid_format"})
        << text;
  }
  EXPECT_EQ(faults<Traced>(R"({"traceId":1})"), Faults{"traceId wrong_type"});
}

TEST(JsonTime, is_rfc_3339) {
  EXPECT_EQ(json::readBody<Timed>(R"({"at":"1970-01-01T00:00:01.5Z"})").at, Time{1'500'000});
  EXPECT_EQ(faults<Timed>(R"({"at":"1970-01-01"})"), Faults{"at invalid_format"});
  EXPECT_EQ(faults<Timed>(R"({"at":1700000000})"), Faults{"at wrong_type"});
}

TEST(JsonEnum, is_one_of_its_words_exactly) {
  EXPECT_EQ(json::readBody<Gendered>(R"({"gender":"female"})").gender, Gender::female);
  EXPECT_EQ(faults<Gendered>(R"({"gender":"Female"})"), Faults{"gender invalid_format"});
  EXPECT_EQ(faults<Gendered>(R"({"gender":""})"), Faults{"gender invalid_format"});
  EXPECT_EQ(faults<Gendered>(R"({"gender":2})"), Faults{"gender wrong_type"});
  EXPECT_EQ(faults<Gendered>(R"({"gender":null})"), Faults{"gender wrong_type"});
}

// Structure -----------------------------------------------------------------------------------

constexpr std::string_view kGoodOrder = R"({
  "traceId": "0192f3a4b5c67d8e9fa0b1c2d3e4f506",
  "gift": {"count": 3, "note": "hi"},
  "gifts": [{"count": 1}, {"count": 2, "note": null}],
  "tags": ["a"]
})";

TEST(JsonBody, is_read_with_all_that_is_nested_in_it) {
  const auto order = json::readBody<Order>(kGoodOrder);
  EXPECT_EQ(order.gift.count.value, 3);
  EXPECT_EQ(order.gift.note->value, "hi");
  EXPECT_FALSE(order.second);
  ASSERT_EQ(order.gifts.items.size(), 2U);
  EXPECT_EQ(order.gifts.items[1].count.value, 2);
  EXPECT_FALSE(order.gifts.items[1].note);
  ASSERT_EQ(order.tags.items.size(), 1U);
  EXPECT_EQ(order.tags.items[0].value, "a");
}

TEST(JsonBody, names_every_field_at_fault_by_its_path) {
  EXPECT_EQ(
      faults<Order>(R"({
    "traceId": "x",
    "gift": {"count": 0, "note": "longer"},
    "second": {"count": "1", "more": 1},
    "gifts": [{"count": 1}, {"count": 10}, {"note": 5, "odd": {}}],
    "tags": ["ok", "\n-\n-"],
    "extra": true
  })"),
      (Faults{"traceId invalid_format", "gift.count out_of_range", "gift.note out_of_range",
              "second.count wrong_type", "second.more unknown_field", "gifts[1].count out_of_range",
              "gifts[2].count required", "gifts[2].note wrong_type", "gifts[2].odd unknown_field",
              "tags[1] invalid_format", "extra unknown_field"}));
}

TEST(JsonBody, says_of_each_missing_field_that_it_is_required) {
  EXPECT_EQ(faults<Order>("{}"),
            (Faults{"traceId required", "gift required", "gifts required", "tags required"}));
  EXPECT_EQ(faults<Order>(R"({"gift": {}, "traceId": "0192f3a4b5c67d8e9fa0b1c2d3e4f506",
                              "gifts": [{}], "tags": ["a"]})"),
            (Faults{"gift.count required", "gifts[0].count required"}));
}

TEST(JsonBody, null_stands_for_an_absent_field_only_where_the_field_may_be_absent) {
  EXPECT_FALSE(json::readBody<Gift>(R"({"count":1,"note":null})").note);
  EXPECT_EQ(faults<Gift>(R"({"count":null})"), Faults{"count wrong_type"});
}

TEST(JsonBody, objects_and_lists_do_not_stand_for_each_other) {
  EXPECT_EQ(
      faults<Order>(R"({"traceId": "0192f3a4b5c67d8e9fa0b1c2d3e4f506", "gift": [],
                              "second": "x", "gifts": {}, "tags": "a"})"),
      (Faults{"gift wrong_type", "second wrong_type", "gifts wrong_type", "tags wrong_type"}));
}

TEST(JsonBody, lists_have_as_many_elements_as_they_may) {
  const auto withTags = [](std::string_view tags, std::string_view gifts) {
    return fmt::format(R"({{"traceId": "0192f3a4b5c67d8e9fa0b1c2d3e4f506",
                            "gift": {{"count": 1}}, "gifts": {}, "tags": {}}})",
                       gifts, tags);
  };
  EXPECT_EQ(faults<Order>(withTags(R"(["a","b"])", "[]")), Faults{});
  EXPECT_EQ(faults<Order>(withTags("[]", "[]")), Faults{"tags out_of_range"});
  EXPECT_EQ(faults<Order>(withTags(R"(["a","b","c"])", "[]")), Faults{"tags out_of_range"});
  const auto* three = R"([{"count":1},{"count":1},{"count":1}])";
  const auto* four = R"([{"count":1},{"count":1},{"count":1},{"count":1}])";
  EXPECT_EQ(faults<Order>(withTags(R"(["a"])", three)), Faults{});
  EXPECT_EQ(faults<Order>(withTags(R"(["a"])", four)), Faults{"gifts out_of_range"});
}

TEST(JsonBody, is_an_object) {
  for (const auto* text : {"[]", "1", R"("{}")", "null", "true"}) {
    EXPECT_EQ(faults<Gift>(text), Faults{"invalid_request"}) << text;
  }
}

TEST(JsonBody, with_many_faults_is_answered_with_a_bounded_number_of_them) {
  std::string body = "{";
  for (int i = 0; i < 500; ++i) body += fmt::format(R"("f{}":1,)", i);
  body += R"("count":1})";
  EXPECT_EQ(faults<Gift>(body).size(), 20U);
}

// Syntax --------------------------------------------------------------------------------------

TEST(JsonSyntax, refuses_what_is_not_json) {
  for (const auto* text : {"",
                           " ",
                           "{",
                           "}",
                           R"({"count":1)",
                           R"({"count":1}})",
                           R"({"count":1} x)",
                           R"({"count":1}{"count":1})",
                           R"({"count":1,})",
                           R"({count:1})",
                           R"({'count':1})",
                           R"({"count":1 /* one */})",
                           "{\"count\":1}\n// end",
                           "{\"note\":\"a\nb\"}",
                           R"({"note":"\x41"})",
                           R"({"note":"\u12"})",
                           "\xEF\xBB\xBF{\"count\":1}",
                           "tru",
                           R"({"count":})",
                           R"({"count" 1})"}) {
    EXPECT_EQ(faults<Gift>(text), Faults{"malformed_json"}) << text;
  }
  EXPECT_EQ(faults<Gift>(std::string_view("{\"count\":1}\0", 12)), Faults{"malformed_json"});
}

TEST(JsonSyntax, refuses_bytes_that_are_not_utf_8) {
  for (const auto* bytes : {"\xFF", "\xC3", "\xC3\x28", "\xC0\xAF", "\xE4\xB8", "\xED\xA0\x80",
                            "\xF5\x80\x80\x80", "\xF0\x80\x80\x80", "\x80"}) {
    EXPECT_EQ(faults<Gift>(fmt::format("{{\"count\":1,\"note\":\"{}\"}}", bytes)),
              Faults{"malformed_json"});
    EXPECT_EQ(faults<Gift>(fmt::format("{{\"count\":1,\"{}\":1}}", bytes)),
              Faults{"malformed_json"});
  }
}

TEST(JsonSyntax, refuses_half_of_a_surrogate_pair) {
  for (const auto* text : {R"(\ud83c)", R"(\udf81)", R"(\ud83cx)", R"(\ud83c\u0041)"}) {
    EXPECT_EQ(faults<Gift>(fmt::format(R"({{"count":1,"note":"{}"}})", text)),
              Faults{"malformed_json"})
        << text;
  }
}

TEST(JsonSyntax, refuses_what_is_nested_too_deep_without_reading_it) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(faults<Gift>(R"({"count":1,"odd":)" + nested(15) + "}"), Faults{"odd unknown_field"});
  EXPECT_EQ(faults<Gift>(R"({"count":1,"odd":)" + nested(16) + "}"), Faults{"malformed_json"});
  EXPECT_EQ(faults<Gift>(R"({"count":1,"odd":)" + nested(30'000) + "}"), Faults{"malformed_json"});
}

// Helpers -------------------------------------------------------------------------------------

TEST(JsonText, length_is_counted_in_characters) {
  EXPECT_EQ(json::codePoints(""), 0U);
  EXPECT_EQ(json::codePoints("aé主🎁"), 4U);
}

// Writing -------------------------------------------------------------------------------------

struct Shown {
  AnchorId id;
  Fen amount;
  Units units;
  BasisPoints share;
  Time at;
  TraceId traceId;
  Gender gender = Gender::unknown;
  std::string name;
  bool flag = false;
  double seconds = 0;
  std::optional<Time> until;
  std::vector<std::string> tags;
};
BOOST_DESCRIBE_STRUCT(Shown, (),
                      (id, amount, units, share, at, traceId, gender, name, flag, seconds, until,
                       tags))

TEST(JsonWriting, shows_each_kind_as_the_contract_has_it) {
  Shown shown;
  shown.id = AnchorId{kIdEnd - 1};
  shown.amount = Fen{-5};
  shown.units = Units{kMostInteger};
  shown.share = BasisPoints{10'000};
  shown.at = Time{1'500'000};
  shown.traceId = TraceId{1, 2};
  shown.gender = Gender::female;
  shown.name = "主播";
  shown.flag = true;
  shown.seconds = 0.25;
  shown.tags = {"a", "b"};
  EXPECT_EQ(json::toText(shown),
            R"({"id":9007199254740991,"amount":-5,"units":9223372036854775807,"share":10000,)"
            R"("at":"1970-01-01T00:00:01.500Z","traceId":"00000000000000010000000000000002",)"
            R"("gender":"female","name":"主播","flag":true,"seconds":0.25,"until":null,)"
            R"("tags":["a","b"]})");
  shown.until = Time{0};
  shown.tags.clear();
  EXPECT_NE(json::toText(shown).find(R"("until":"1970-01-01T00:00:00.000Z","tags":[])"),
            std::string::npos);
}

TEST(JsonWriting, no_text_can_leave_its_quotes) {
  std::string every;
  for (int c = 0; c < 0x80; ++c) every += static_cast<char>(c);
  every += "主🎁";
  const auto text = json::toText(std::vector<std::string>{every});
  const auto value = boost::json::parse(text);
  EXPECT_EQ(std::string_view(value.at(0).as_string()), every);
}

}  // namespace
}  // namespace tipflow
