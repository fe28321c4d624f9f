// Who may use a route: the authorisation table, one entry beside each route.
#pragma once

#include <initializer_list>
#include <string>

#include "platform/security/tokens.h"

namespace tipflow::http {

class Access {
 public:
  /// No rule at all: a route with this does not start.
  Access() = default;

  static Access anyone() { return Access(true, 0); }
  static Access signedIn() {
    return of({Role::viewer, Role::anchor, Role::operator_, Role::admin});
  }
  static Access operators() { return of({Role::operator_, Role::admin}); }
  /// Other nodes of the cluster, who sign with its key; nobody with a token.
  static Access nodes() {
    Access access;
    access.nodes_ = true;
    return access;
  }
  static Access of(std::initializer_list<Role> roles) {
    unsigned mask = 0;
    for (const Role role : roles) mask |= bit(role);
    return Access(false, mask);
  }
  /// Also the anchor (or viewer) whose id is the first place of the path.
  [[nodiscard]] Access orOwnAnchor() const { return with(Own::anchor); }
  [[nodiscard]] Access orOwnViewer() const { return with(Own::viewer); }
  /// Says in words what the handler itself checks further.
  [[nodiscard]] Access narrowedTo(std::string what) const {
    Access copy = *this;
    copy.narrowed_ = std::move(what);
    return copy;
  }

  [[nodiscard]] bool declared() const {
    return open_ || nodes_ || roles_ != 0 || own_ != Own::none;
  }
  [[nodiscard]] bool forNodes() const { return nodes_; }
  [[nodiscard]] bool open() const { return open_; }
  /// `firstPlace`: the id in the path's first place, 0 when there is none.
  [[nodiscard]] bool allows(const Principal& principal, std::int64_t firstPlace) const {
    if (open_ || (roles_ & bit(principal.role)) != 0) return true;
    if (nodes_ || principal.id != firstPlace) return false;
    return (own_ == Own::anchor && principal.kind == PrincipalKind::anchor) ||
           (own_ == Own::viewer && principal.kind == PrincipalKind::viewer);
  }
  /// For people: `admin, operator, own anchor`.
  [[nodiscard]] std::string shown() const {
    if (open_) return "anyone";
    if (nodes_) return "nodes of the cluster; signed by node";
    std::string out;
    for (const Role role : {Role::admin, Role::operator_, Role::anchor, Role::viewer}) {
      if ((roles_ & bit(role)) != 0) out += (out.empty() ? "" : ", ") + std::string(word(role));
    }
    if (own_ != Own::none) {
      out += (out.empty() ? "" : ", ");
      out += own_ == Own::anchor ? "own anchor" : "own viewer";
    }
    return narrowed_.empty() ? out : out + " (" + narrowed_ + ")";
  }

 private:
  enum class Own { none, anchor, viewer };
  Access(bool open, unsigned roles) : open_(open), roles_(roles) {}
  static unsigned bit(Role role) { return 1U << static_cast<unsigned>(role); }
  [[nodiscard]] Access with(Own own) const {
    Access copy = *this;
    copy.own_ = own;
    return copy;
  }

  bool open_ = false;
  bool nodes_ = false;
  unsigned roles_ = 0;
  Own own_ = Own::none;
  std::string narrowed_;
};

}  // namespace tipflow::http
