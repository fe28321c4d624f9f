// WebSocket connections: the upgrade, who may, and what a connection can do. Drogon takes the
// handshake and the socket; frames are read and written here (websocket_frames.h), because a
// client's faults must be answered with the right code and cost no memory.
#pragma once

#include <drogon/HttpRequest.h>
#include <drogon/HttpResponse.h>
#include <drogon/WebSocketConnection.h>
#include <trantor/net/TcpConnection.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "platform/http/gate.h"
#include "platform/http/websocket_frames.h"
#include "platform/security/tokens.h"

namespace tipflow::http {

struct WebSocketLimits {
  std::size_t longestMessage = 4'096;
  /// What may wait for a client that does not read, beside its first frame.
  std::size_t sendBuffer = 512 * 1024;
  std::int64_t framesPerSecond = 20;
  std::int64_t frameBurst = 60;
  /// A client that was not heard for so long is pinged.
  int quietSeconds = 45;
  /// Who does not answer within this time is gone.
  int answerSeconds = 75;
};

class WebSocket;

/// What a connection is there for. Called on the connection's event loop alone.
class WebSocketSession {
 public:
  virtual ~WebSocketSession() = default;
  virtual void onOpen(WebSocket& socket) = 0;
  virtual void onText(std::string_view text) = 0;
  /// Its send buffer is over the bound; what is sent from now on is not kept.
  virtual void onSlow() = 0;
  /// It is closed or about to be; the last call.
  virtual void onGone() = 0;
};

/// One client; belongs to an event loop, on which all of this is to be called.
class WebSocket : public std::enable_shared_from_this<WebSocket> {
 public:
  struct Companions;  // the other connections of its loop

  WebSocket(trantor::TcpConnectionPtr connection, std::shared_ptr<WebSocketSession> session,
            std::shared_ptr<Companions> companions);
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  [[nodiscard]] trantor::EventLoop& loop() const { return *loop_; }
  /// A whole frame, as textFrame() makes it. Not copied unless the client is behind.
  void send(std::string_view frame);
  /// The same for a first frame that may be larger than the bound on the send buffer.
  void sendFirst(std::string_view frame);
  /// Sends `lastFrame`, then closes; a client that does not close in turn is cut off after a while.
  void close(CloseCode code, std::string_view lastFrame = {});

 private:
  friend class WebSockets;
  enum class State { open, slow, closing, gone };

  void takeOver();
  void read(trantor::MsgBuffer& bytes);
  /// False when nothing more is to be read.
  bool handle(FrameReader::Frame frame);
  [[nodiscard]] bool withinRate();
  void watchSendBuffer(std::size_t most);
  void becomeSlow();
  void leave();
  /// Every few seconds: pings who is quiet, drops who is dead.
  void look(std::int64_t nowSeconds);
  void onDisconnected();

  trantor::EventLoop* loop_;
  trantor::TcpConnectionPtr connection_;
  std::shared_ptr<WebSocketSession> session_;
  std::shared_ptr<Companions> companions_;  // outlive the server's parts, as connections may
  std::size_t place_ = 0;                   // among its companions
  FrameReader reader_;
  State state_ = State::open;
  bool pinged_ = false;
  std::int64_t heardSeconds_;
  std::int64_t budgetFullAtUs_ = 0;
};

/// A client that asks for a WebSocket.
struct Upgrade {
  const drogon::HttpRequest& request;
  std::string place;  ///< of the path, as it was sent
  std::shared_ptr<const Principal> principal;
  Address address;
};

class WebSocketEndpoint {
 public:
  virtual ~WebSocketEndpoint() = default;
  /// The session to open, or why not; on the connection's event loop.
  virtual Result<std::shared_ptr<WebSocketSession>> admit(const Upgrade& upgrade) = 0;
};

/// The WebSockets under one path. A token comes as `Authorization: Bearer`, as `?token=`, or as the
/// second of the subprotocols `tipflow, <token>`, which is what browsers can send out of sight.
class WebSockets {
 public:
  WebSockets(Gate& gate, Tokens& tokens, const WebSocketLimits& limits,
             WebSocketEndpoint& endpoint);
  ~WebSockets();

  /// Before Drogon runs; once. `prefix`: what stands before the path's place: `/ws/rooms/`.
  void install(const std::string& prefix);

 private:
  class Middleware;
  class Controller;

  Result<std::shared_ptr<WebSocketSession>> admit(const drogon::HttpRequest& request);
  void open(const drogon::HttpRequestPtr& request, const drogon::WebSocketConnectionPtr& upgraded);
  std::shared_ptr<WebSocket::Companions> companionsOf(trantor::EventLoop* loop);

  Gate& gate_;
  Tokens& tokens_;
  const WebSocketLimits limits_;
  WebSocketEndpoint& endpoint_;
  std::string prefix_;
  std::mutex mutex_;
  std::unordered_map<trantor::EventLoop*, std::shared_ptr<WebSocket::Companions>> companions_;
};

}  // namespace tipflow::http
