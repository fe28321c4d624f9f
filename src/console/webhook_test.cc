// The webhook's own patience, with a server that is only pretended.
#include "console/webhook.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <future>

#include "platform/security/crypto.h"

namespace tipflow::console {
namespace {

using http::NotTaken;
using http::Poster;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kSoon = std::chrono::seconds(10);

/// A server that takes what it is sent, and answers only once it is opened.
class SlowServer {
 public:
  Webhook::Post post() {
    return [this](const Poster::Body&) {
      if (!std::exchange(asked_, true)) reached_.set_value();
      open_.wait();
    };
  }
  bool isReached() { return reached_.get_future().wait_for(kSoon) == std::future_status::ready; }
  void open() { opened_.set_value(); }

 private:
  bool asked_ = false;
  std::promise<void> reached_;
  std::promise<void> opened_;
  std::shared_future<void> open_ = opened_.get_future().share();
};

class WebhookTest : public ::testing::Test {
 protected:
  WebhookLimits quick() { return {2, {Duration{1'000}, Duration{1'000}}}; }
  double counted(const char* outcome) {
    return metrics
        .counter("tipflow_alert_webhook_posts_total", "Alerts told to the webhook, by outcome.",
                 {{"outcome", outcome}})
        .Value();
  }
  /// Waits until so many have ended one way or another.
  void wait(double ended) {
    const auto deadline = std::chrono::steady_clock::now() + kSoon;
    while (counted("delivered") + counted("failed") < ended &&
           std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
  }

  ManualClock clock{Time{1'770'000'000'123'456}};
  Metrics metrics;
  std::mutex mutex;
  std::vector<std::string> taken;
};

TEST_F(WebhookTest, delivers_in_order) {
  Webhook webhook(
      [&](Poster::Body body) {
        const std::lock_guard lock(mutex);
        taken.push_back(body.text);
      },
      "", quick(), clock, metrics);
  webhook.send("one");
  wait(1);
  webhook.send("two");
  wait(2);
  const std::lock_guard lock(mutex);
  EXPECT_THAT(taken, ElementsAre("one", "two"));
  EXPECT_EQ(counted("delivered"), 2);
}

TEST_F(WebhookTest, tries_three_times_then_goes_on_with_the_next) {
  std::atomic<int> tries{0};
  Webhook webhook(
      [&](Poster::Body body) {
        ++tries;
        if (body.text == "bad") throw NotTaken("answered 500");
      },
      "", quick(), clock, metrics);
  webhook.send("bad");
  webhook.send("good");
  wait(2);
  EXPECT_EQ(tries, 4);
  EXPECT_EQ(counted("failed"), 1);
  EXPECT_EQ(counted("delivered"), 1);
}

TEST_F(WebhookTest, delivers_when_a_later_try_is_taken) {
  std::atomic<int> tries{0};
  Webhook webhook(
      [&](Poster::Body) {
        if (++tries < 3) throw NotTaken("Timeout");
      },
      "", quick(), clock, metrics);
  webhook.send("news");
  wait(1);
  EXPECT_EQ(tries, 3);
  EXPECT_EQ(counted("delivered"), 1);
  EXPECT_EQ(counted("failed"), 0);
}

TEST_F(WebhookTest, never_holds_up_who_sends_and_counts_what_is_too_much) {
  SlowServer server;
  Webhook webhook(server.post(), "", quick(), clock, metrics);
  webhook.send("held");
  ASSERT_TRUE(server.isReached());
  webhook.send("waits");
  webhook.send("is too much");
  EXPECT_EQ(counted("dropped"), 1);
  server.open();
  wait(2);
  EXPECT_EQ(counted("delivered"), 2);
}

TEST_F(WebhookTest, ends_while_it_waits_for_the_next_try) {
  std::promise<void> tried;
  const auto started = std::chrono::steady_clock::now();
  {
    Webhook webhook(
        [&](Poster::Body) {
          tried.set_value();
          throw NotTaken("Timeout");
        },
        "", {10, {Duration{3'600 * kUsPerSecond}}}, clock, metrics);
    webhook.send("news");
    ASSERT_EQ(tried.get_future().wait_for(kSoon), std::future_status::ready);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - started, kSoon);
}

TEST_F(WebhookTest, counts_what_it_is_not_told_any_more_when_the_node_leaves) {
  SlowServer server;
  {
    Webhook webhook(server.post(), "", quick(), clock, metrics);
    webhook.send("under way");
    ASSERT_TRUE(server.isReached());
    webhook.send("waits");
    webhook.leave();
    webhook.send("too late");
    EXPECT_EQ(counted("dropped"), 1);
    server.open();
  }
  EXPECT_EQ(counted("delivered"), 1);
  EXPECT_EQ(counted("dropped"), 2);
}

TEST_F(WebhookTest, signs_time_and_body_with_its_secret) {
  std::vector<std::pair<std::string, std::string>> headers;
  Webhook webhook(
      [&](Poster::Body body) {
        const std::lock_guard lock(mutex);
        headers = body.headers;
      },
      "secret", quick(), clock, metrics);
  webhook.send("{}");
  wait(1);
  const std::lock_guard lock(mutex);
  // printf '1770000000123\n{}' | openssl dgst -sha256 -hmac secret
  EXPECT_THAT(
      headers,
      ElementsAre(std::pair<std::string, std::string>{"X-Tipflow-Timestamp", "1770000000123"},
                  std::pair<std::string, std::string>{
                      "X-Tipflow-Signature",
                      "v1=f807a797dcd982ccc19a4a16b7e7cf2706eb263368e872afd95477b4e9b9e023"}));
}

TEST_F(WebhookTest, signs_nothing_without_a_secret) {
  std::vector<std::pair<std::string, std::string>> headers{{"left", "over"}};
  Webhook webhook(
      [&](Poster::Body body) {
        const std::lock_guard lock(mutex);
        headers = body.headers;
      },
      "", quick(), clock, metrics);
  webhook.send("{}");
  wait(1);
  const std::lock_guard lock(mutex);
  EXPECT_THAT(headers, IsEmpty());
}

}  // namespace
}  // namespace tipflow::console
