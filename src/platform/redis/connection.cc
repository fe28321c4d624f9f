#include "platform/redis/connection.h"

#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

namespace tipflow::redis {
namespace {

using std::chrono::steady_clock;

timeval asTimeval(Duration limit) {
  return {.tv_sec = limit.count() / kUsPerSecond, .tv_usec = limit.count() % kUsPerSecond};
}

Reply copyOf(const redisReply& given) {
  Reply reply;
  switch (given.type) {
    case REDIS_REPLY_NIL:
      break;
    case REDIS_REPLY_INTEGER:
      reply.kind = Reply::Kind::integer;
      reply.integer = given.integer;
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::list;
      reply.list.reserve(given.elements);
      for (std::size_t i = 0; i < given.elements; ++i) {
        reply.list.push_back(copyOf(*given.element[i]));
      }
      break;
    case REDIS_REPLY_ERROR:
      reply.kind = Reply::Kind::error;
      reply.text.assign(given.str, given.len);
      break;
    default:  // texts, as strings and as statuses
      reply.kind = Reply::Kind::text;
      reply.text.assign(given.str, given.len);
  }
  return reply;
}

}  // namespace

void ignoreBrokenPipes() {
  sigset_t pipes;
  sigemptyset(&pipes);
  sigaddset(&pipes, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipes, nullptr);
}

void Connection::Free::operator()(redisContext* context) const { redisFree(context); }

Connection::Connection(const Url& url, Duration limit)
    : context_(redisConnectWithTimeout(url.host.c_str(), url.port, asTimeval(limit))) {
  if (!context_) throw Away("no memory for a connection");
  if (context_->err != 0) fail("cannot connect");
  // Bounds what writing may take; reading waits with poll.
  redisSetTimeout(context_.get(), asTimeval(limit));
  redisEnableKeepAlive(context_.get());
  introduce(url, limit);
}

Connection::~Connection() = default;

void Connection::introduce(const Url& url, Duration limit) {
  std::vector<Command> greeting;
  if (!url.user.empty()) {
    greeting.push_back({"AUTH", url.user, url.password});
  } else if (!url.password.empty()) {
    greeting.push_back({"AUTH", url.password});
  }
  if (url.database != 0) greeting.push_back({"SELECT", std::to_string(url.database)});
  greeting.push_back({"PING"});
  for (const auto& reply : run(greeting, limit)) {
    if (reply.isError()) throw Away("refuses: " + reply.text);
  }
}

std::vector<Reply> Connection::run(const std::vector<Command>& commands, Duration limit) {
  const auto until = steady_clock::now() + limit;
  for (const auto& command : commands) append(command);
  flush(until);
  std::vector<Reply> replies;
  replies.reserve(commands.size());
  while (replies.size() < commands.size()) {
    const auto left = std::chrono::duration_cast<Duration>(until - steady_clock::now());
    auto reply = next(std::max(left, Duration{0}));
    if (!reply) throw Away(fmt::format("gave no answer within {} ms", limit.count() / kUsPerMs));
    replies.push_back(*std::move(reply));
  }
  return replies;
}

void Connection::send(const Command& command, Duration limit) {
  append(command);
  flush(steady_clock::now() + limit);
}

std::optional<Reply> Connection::next(Duration limit, int wake) {
  const auto until = steady_clock::now() + limit;
  for (;;) {
    void* read = nullptr;
    if (redisGetReplyFromReader(context_.get(), &read) != REDIS_OK) fail("is not understood");
    if (read != nullptr) {
      const std::unique_ptr<void, decltype(&freeReplyObject)> owned(read, &freeReplyObject);
      return copyOf(*static_cast<redisReply*>(read));
    }
    if (!waitReadable(until, wake)) return std::nullopt;
    if (redisBufferRead(context_.get()) != REDIS_OK) fail("connection broken");
  }
}

void Connection::append(const Command& command) {
  std::vector<const char*> words;
  std::vector<std::size_t> lengths;
  words.reserve(command.size());
  lengths.reserve(command.size());
  for (const auto& word : command) {
    words.push_back(word.data());
    lengths.push_back(word.size());
  }
  if (redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), words.data(),
                             lengths.data()) != REDIS_OK) {
    fail("cannot ask");
  }
}

void Connection::flush(Instant until) {
  int done = 0;
  while (done == 0) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) fail("connection broken");
    if (done == 0 && steady_clock::now() >= until) throw Away("takes no more");
  }
}

bool Connection::waitReadable(Instant until, int wake) const {
  std::array<pollfd, 2> waited{pollfd{context_->fd, POLLIN, 0}, pollfd{wake, POLLIN, 0}};
  int ready = -1;
  do {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now());
    ready = poll(waited.data(), waited.size(),
                 static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return false;
  return (waited[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}

void Connection::fail(const std::string& what) const {
  throw Away(context_->err != 0 ? fmt::format("{}: {}", what, context_->errstr) : what);
}

}  // namespace tipflow::redis
