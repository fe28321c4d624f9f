#include "platform/http/websocket.h"

#include <drogon/HttpAppFramework.h>
#include <drogon/HttpMiddleware.h>
#include <drogon/WebSocketController.h>

#include <chrono>

#include "platform/http/headers.h"
#include "platform/http/problem.h"
#include "platform/security/crypto.h"
#include "platform/tracing.h"

namespace tipflow::http {
namespace {

constexpr double kLookSeconds = 5;
constexpr double kGraceSeconds = 5;
constexpr std::size_t kIdleReadBuffer = 64;
constexpr const char* kSession = "tipflow.session";
constexpr std::string_view kProtocol = "tipflow";

std::int64_t steadyUs() {
  using std::chrono::microseconds;
  return std::chrono::duration_cast<microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string_view nextInList(std::string_view& list) {
  const auto comma = list.find(',');
  const auto entry = trimmed(list.substr(0, comma));
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return entry;
}

/// What the subprotocols say: whether ours is among them, and what stands behind it.
struct Subprotocols {
  bool ours = false;
  std::string token;
};

Subprotocols subprotocolsOf(const drogon::HttpRequest& request) {
  std::string_view list = request.getHeader("sec-websocket-protocol");
  Subprotocols found;
  while (!list.empty()) {
    const auto entry = nextInList(list);
    if (found.ours && found.token.empty()) found.token = entry;
    if (entry == kProtocol) found.ours = true;
  }
  return found;
}

std::string tokenOf(const drogon::HttpRequest& request) {
  if (const auto token = bearerToken(request.getHeader("authorization"))) {
    return std::string(*token);
  }
  const std::string& asked = request.getParameter("token");
  return asked.empty() ? subprotocolsOf(request).token : asked;
}

/// The trace that the client says the request belongs to, else a new one.
std::string traceIdOf(const drogon::HttpRequest& request) {
  const auto parent = TraceContext::parse(request.getHeader("traceparent"));
  return parent ? parent->trace.hex() : crypto::toHex(crypto::randomBytes(16));
}

drogon::HttpResponsePtr refusal(const Rejection& rejection, const drogon::HttpRequest& request) {
  const auto traceId = traceIdOf(request);
  auto response = problem(rejection, traceId, request.getHeader("accept-language"));
  response->addHeader("X-Trace-Id", traceId);
  if (rejection.code == ErrorCode::upgrade_required) {
    response->addHeader("Upgrade", "websocket");
    response->addHeader("Sec-WebSocket-Version", "13");
  }
  if (rejection.code == ErrorCode::viewer_kicked) {
    response->addHeader("Retry-After", std::to_string(rejection.retryAfterSeconds));
  }
  response->setCloseConnection(true);
  addSecurityHeaders(*response, request.path());
  return response;
}

}  // namespace

struct WebSocket::Companions {
  explicit Companions(const WebSocketLimits& l) : limits(l) {}

  const WebSocketLimits limits;
  std::vector<WebSocket*> sockets;

  void look() {
    const auto nowSeconds = steadyUs() / kUsPerSecond;
    // A socket only asks for its end here, so the list stays as it is.
    for (auto* socket : sockets) socket->look(nowSeconds);
  }
};

WebSocket::WebSocket(trantor::TcpConnectionPtr connection,
                     std::shared_ptr<WebSocketSession> session,
                     std::shared_ptr<Companions> companions)
    : loop_(connection->getLoop()),
      connection_(std::move(connection)),
      session_(std::move(session)),
      companions_(std::move(companions)),
      place_(companions_->sockets.size()),
      reader_(companions_->limits.longestMessage),
      heardSeconds_(steadyUs() / kUsPerSecond) {
  companions_->sockets.push_back(this);
}

WebSocket::~WebSocket() {
  auto& sockets = companions_->sockets;
  sockets[place_] = sockets.back();
  sockets[place_]->place_ = place_;
  sockets.pop_back();
}

void WebSocket::takeOver() {
  connection_->keepAlive();  // look() says when it is dead
  watchSendBuffer(companions_->limits.sendBuffer);
  connection_->setRecvMsgCallback(
      [this](const trantor::TcpConnectionPtr&, trantor::MsgBuffer* bytes) { read(*bytes); });
  const auto session = session_;  // may leave meanwhile
  session->onOpen(*this);
  if (connection_) read(*connection_->getRecvBuffer());
}

void WebSocket::watchSendBuffer(std::size_t most) {
  connection_->setHighWaterMarkCallback(
      [this](const trantor::TcpConnectionPtr&, std::size_t) { becomeSlow(); }, most);
}

// Called inside of a send, perhaps to all of a room: what follows waits until that is over.
void WebSocket::becomeSlow() {
  if (state_ != State::open) return;
  state_ = State::slow;
  loop_->queueInLoop([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->state_ != State::slow) return;
    const auto session = self->session_;  // may leave meanwhile
    session->onSlow();
  });
}

void WebSocket::send(std::string_view frame) {
  if (state_ == State::open) connection_->send(frame.data(), frame.size());
}

void WebSocket::sendFirst(std::string_view frame) {
  watchSendBuffer(companions_->limits.sendBuffer + frame.size());
  send(frame);
}

void WebSocket::close(CloseCode code, std::string_view lastFrame) {
  if (state_ == State::closing || state_ == State::gone) return;
  state_ = State::closing;
  const auto bytes = std::string(lastFrame) + closeFrame(code);
  connection_->send(bytes.data(), bytes.size());
  connection_->shutdown();
  loop_->runAfter(kGraceSeconds, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->connection_) self->connection_->forceClose();
  });
  leave();
}

void WebSocket::leave() {
  if (const auto session = std::move(session_)) session->onGone();
}

void WebSocket::onDisconnected() {
  state_ = State::gone;
  leave();
  connection_.reset();
}

void WebSocket::read(trantor::MsgBuffer& bytes) {
  const auto self = shared_from_this();
  heardSeconds_ = steadyUs() / kUsPerSecond;
  pinged_ = false;
  // Once it is closing, what still comes is taken and thrown away: unread bytes would make the
  // system reset the connection, and the client might not see why it was closed.
  while (state_ == State::open || state_ == State::slow) {
    auto frame = reader_.next({bytes.peek(), bytes.readableBytes()});
    if (frame.kind == FrameReader::Kind::incomplete) break;
    bytes.retrieve(frame.size);
    if (!handle(std::move(frame))) break;
  }
  if (state_ == State::closing || state_ == State::gone) bytes.retrieveAll();
  if (bytes.readableBytes() == 0) {
    // Most clients are silent: two kilobytes each would be a quarter of what a connection takes.
    trantor::MsgBuffer small(kIdleReadBuffer);
    bytes.swap(small);
  }
}

bool WebSocket::handle(FrameReader::Frame frame) {
  using Kind = FrameReader::Kind;
  if (frame.kind != Kind::faulty && !withinRate()) {
    close(CloseCode::policy);
    return false;
  }
  switch (frame.kind) {
    case Kind::incomplete:
    case Kind::fragment:
    case Kind::pong:
      return true;
    case Kind::text: {
      const auto session = session_;  // may leave meanwhile
      session->onText(frame.payload);
      return state_ == State::open || state_ == State::slow;
    }
    case Kind::ping:
      send(pongFrame(frame.payload));
      return true;
    case Kind::close:
    case Kind::faulty:
      close(frame.code);
      return false;
  }
  return false;
}

bool WebSocket::withinRate() {
  const auto& limits = companions_->limits;
  const auto now = steadyUs();
  const auto interval = kUsPerSecond / limits.framesPerSecond;
  const auto fullAt = std::max(budgetFullAtUs_, now) + interval;
  if (fullAt > now + interval * limits.frameBurst) return false;
  budgetFullAtUs_ = fullAt;
  return true;
}

void WebSocket::look(std::int64_t nowSeconds) {
  if (state_ != State::open) return;
  const auto silent = nowSeconds - heardSeconds_;
  if (silent >= companions_->limits.quietSeconds + companions_->limits.answerSeconds) {
    loop_->queueInLoop([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self && self->connection_) self->connection_->forceClose();
    });
  } else if (silent >= companions_->limits.quietSeconds && !pinged_) {
    pinged_ = true;
    send(pingFrame({}));
  }
}

/// Stands before the handshake: refuses with a problem document, or lets it through.
class WebSockets::Middleware final : public drogon::HttpMiddleware<WebSockets::Middleware, false> {
 public:
  explicit Middleware(WebSockets& owner) : owner_(owner) {}

  void invoke(const drogon::HttpRequestPtr& request, drogon::MiddlewareNextCallback&& next,
              drogon::MiddlewareCallback&& answer) override {
    auto session = owner_.admit(*request);
    if (!session) {
      answer(refusal(session.error(), *request));
      // Drogon would send a closing frame behind it, of the WebSocket that never was.
      if (const auto connection = request->getConnectionPtr().lock()) connection->shutdown();
      return;
    }
    request->attributes()->insert(kSession, *std::move(session));
    const bool named = subprotocolsOf(*request).ours;
    next([named, traceId = traceIdOf(*request),
          answer = std::move(answer)](const drogon::HttpResponsePtr& response) {
      response->addHeader("X-Trace-Id", traceId);
      if (named) response->addHeader("Sec-WebSocket-Protocol", std::string(kProtocol));
      answer(response);
    });
  }

 private:
  WebSockets& owner_;
};

class WebSockets::Controller final
    : public drogon::WebSocketController<WebSockets::Controller, false> {
 public:
  explicit Controller(WebSockets& owner) : owner_(owner) {}

  static void initPathRouting() {}  // install() says the path

  void handleNewConnection(const drogon::HttpRequestPtr& request,
                           const drogon::WebSocketConnectionPtr& upgraded) override {
    owner_.open(request, upgraded);
  }
  void handleConnectionClosed(const drogon::WebSocketConnectionPtr& upgraded) override {
    if (const auto socket = upgraded->getContext<WebSocket>()) socket->onDisconnected();
    upgraded->clearContext();
  }
  // Frames are read by WebSocket; only those that came with the handshake could arrive here.
  void handleNewMessage(const drogon::WebSocketConnectionPtr&, std::string&&,
                        const drogon::WebSocketMessageType&) override {}

 private:
  WebSockets& owner_;
};

WebSockets::WebSockets(Gate& gate, Tokens& tokens, const WebSocketLimits& limits,
                       WebSocketEndpoint& endpoint)
    : gate_(gate), tokens_(tokens), limits_(limits), endpoint_(endpoint) {}

WebSockets::~WebSockets() = default;

void WebSockets::install(const std::string& prefix) {
  prefix_ = prefix;
  auto& app = drogon::app();
  app.registerMiddleware(std::make_shared<Middleware>(*this));
  app.registerController(std::make_shared<Controller>(*this));
  app.registerWebSocketControllerRegex(prefix + "[^/]*", Controller::classTypeName(),
                                       {Middleware::classTypeName()});
  // Who comes without asking for a WebSocket, or asks on a connection that has served other
  // requests, where Drogon does not take it.
  app.registerHandler(
      prefix + "{place}",
      [](const drogon::HttpRequestPtr& request,
         std::function<void(const drogon::HttpResponsePtr&)>&& answer,
         const std::string&) { answer(refusal({ErrorCode::upgrade_required}, *request)); },
      {drogon::Get, drogon::Post, drogon::Put, drogon::Patch, drogon::Delete});
}

Result<std::shared_ptr<WebSocketSession>> WebSockets::admit(const drogon::HttpRequest& request) {
  if (request.getHeader("sec-websocket-version") != "13") return ErrorCode::upgrade_required;
  const auto token = tokenOf(request);
  auto principal = token.empty() ? nullptr : tokens_.verify(token);
  if (!principal) return ErrorCode::unauthenticated;
  auto address = gate_.clientOf(request);
  if (auto refused = gate_.refuseViewer(*principal, address)) return *std::move(refused);
  return endpoint_.admit(
      {request, request.path().substr(prefix_.size()), std::move(principal), std::move(address)});
}

void WebSockets::open(const drogon::HttpRequestPtr& request,
                      const drogon::WebSocketConnectionPtr& upgraded) {
  upgraded->disablePing();
  auto session = request->attributes()->get<std::shared_ptr<WebSocketSession>>(kSession);
  request->attributes()->erase(kSession);
  auto connection = request->getConnectionPtr().lock();
  if (!session || !connection || !upgraded->connected()) return;  // it left meanwhile
  auto* loop = connection->getLoop();
  auto socket =
      std::make_shared<WebSocket>(std::move(connection), std::move(session), companionsOf(loop));
  upgraded->setContext(socket);
  // We are inside of the callback that is to be replaced.
  loop->queueInLoop([weak = std::weak_ptr(socket)] {
    const auto taken = weak.lock();
    if (taken && taken->state_ == WebSocket::State::open) taken->takeOver();
  });
}

std::shared_ptr<WebSocket::Companions> WebSockets::companionsOf(trantor::EventLoop* loop) {
  const std::lock_guard lock(mutex_);
  auto& companions = companions_[loop];
  if (!companions) {
    companions = std::make_shared<WebSocket::Companions>(limits_);
    loop->runEvery(kLookSeconds, [own = companions] { own->look(); });
  }
  return companions;
}

}  // namespace tipflow::http
