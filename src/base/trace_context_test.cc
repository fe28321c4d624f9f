#include "base/trace_context.h"

#include <gtest/gtest.h>

namespace tipflow {
namespace {

constexpr std::string_view kHeader = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContext, is_read_from_a_header_and_written_back) {
  const auto context = TraceContext::parse(kHeader);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace.hex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(spanHex(context->span), "b7ad6b7169203331");
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->header(), kHeader);
  EXPECT_EQ(TraceContext::parse(context->child(7).header())->span, 7U);
}

TEST(TraceContext, takes_what_later_versions_add) {
  const std::string later = "cc" + std::string(kHeader.substr(2)) + "-what-will-be";
  ASSERT_TRUE(TraceContext::parse(later));
  EXPECT_TRUE(
      TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03")->sampled);
  EXPECT_FALSE(
      TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02")->sampled);
}

TEST(TraceContext, is_not_read_from_anything_else) {
  for (const std::string_view text :
       {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x"}) {
    EXPECT_FALSE(TraceContext::parse(text)) << text;
  }
}

}  // namespace
}  // namespace tipflow
