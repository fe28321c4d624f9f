#include "platform/otlp.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace tipflow {
namespace {

TEST(Otlp, sends_spans_as_a_collector_expects_them) {
  const std::string lines =
      R"({"ts":"2026-01-01T00:00:00.000Z","level":"info","role":"audience","node":"n1","msg":"a \"span\": no"})"
      "\n"
      R"({"ts":"2026-01-01T00:00:00.000Z","span":"POST /api/v1/tips","role":"audience","node":"n1",)"
      R"("traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331",)"
      R"("parentId":"00f067aa0ba902b7","startUs":1770000000000001,"us":25,"error":true,"status":503})"
      "\n";
  const auto body = boost::json::parse(otlpBody(lines));
  const auto& resource = body.at("resourceSpans").at(0);
  EXPECT_EQ(resource.at("resource").at("attributes").at(0).at("value").at("stringValue"),
            "tipflow");
  const auto& spans = resource.at("scopeSpans").at(0).at("spans").as_array();
  ASSERT_EQ(spans.size(), 1U);
  const auto& span = spans.at(0);
  EXPECT_EQ(span.at("traceId"), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(span.at("spanId"), "b7ad6b7169203331");
  EXPECT_EQ(span.at("parentSpanId"), "00f067aa0ba902b7");
  EXPECT_EQ(span.at("name"), "POST /api/v1/tips");
  EXPECT_EQ(span.at("startTimeUnixNano"), "1770000000000001000");
  EXPECT_EQ(span.at("endTimeUnixNano"), "1770000000000026000");
  EXPECT_EQ(span.at("status").at("code"), 2);
  EXPECT_EQ(span.at("attributes").at(1).at("key"), "status");
  EXPECT_EQ(span.at("attributes").at(1).at("value").at("intValue"), "503");
}

TEST(Otlp, sends_nothing_when_there_is_no_span) {
  const std::string lines = R"({"ts":"x","level":"info","msg":"hello"})"
                            "\n";
  EXPECT_EQ(otlpBody(lines), "");
}

}  // namespace
}  // namespace tipflow
