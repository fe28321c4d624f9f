#include "load/preparation.h"

#include <fmt/format.h>

#include <utility>

namespace tipflow::load {
namespace {

// Nobody came a step further in this time: the node does not work.
constexpr MonotonicUs kPatienceUs = 20'000'000;
constexpr std::string_view kBooks = "/api/v1/finance/reconciliation";

}  // namespace

Preparation::Preparation(PreparationPlan plan, MonotonicUs now)
    : plan_(std::move(plan)), lastProgressUs_(now) {
  const auto add = [&](Kind kind, int count) {
    for (int number = 1; number <= count; ++number) {
      toAsk_.push_back(accounts_.size());
      accounts_.push_back({.kind = kind, .number = number});
    }
  };
  if (!plan_.operatorName.empty()) {
    add(Kind::operator_, 1);
    accounts_.back().step = Step::loggingIn;
  }
  add(Kind::anchor, plan_.rooms);
  add(Kind::registered, plan_.registered);
  add(Kind::guest, plan_.guests);
}

std::string Preparation::target(const Account& account) const {
  switch (account.step) {
    case Step::registering:
      return account.kind == Kind::anchor       ? "/api/v1/anchors"
             : account.kind == Kind::registered ? "/api/v1/viewers"
                                                : "/api/v1/viewers/guests";
    case Step::loggingIn:
      return "/api/v1/auth/login";
    case Step::lookingUp:
      return account.kind == Kind::operator_
                 ? std::string(kBooks)
                 : fmt::format("/api/v1/anchors/{}", account.session.id);
    case Step::opening:
      return fmt::format("/api/v1/rooms/{}/open", account.roomId);
    case Step::ready:
    case Step::banned:
      break;
  }
  throw std::logic_error("an account that is ready asks for nothing");
}

std::string Preparation::call(const Account& account) const {
  return fmt::format("{} {}", account.step == Step::lookingUp ? "GET" : "POST", target(account));
}

std::optional<Ticket> Preparation::next(MonotonicUs now, std::string& out) {
  if (!failure_.empty()) return std::nullopt;
  if (const auto again = later_.take(now)) toAsk_.push_back(*again);
  if (toAsk_.empty()) return std::nullopt;
  const auto place = toAsk_.front();
  toAsk_.pop_front();
  auto& account = accounts_[place];
  ++account.attempts;
  const auto headers = senderHeaders(plan_.url, account.session.token);
  const auto where = target(account);
  std::string body;
  switch (account.step) {
    case Step::registering:
      body = account.kind == Kind::anchor       ? anchorRegistration(account.number, plan_.password)
             : account.kind == Kind::registered ? viewerRegistration(account.number, plan_.password)
                                                : "{}";
      break;
    case Step::loggingIn:
      body = account.kind == Kind::operator_
                 ? loginBody(PrincipalKind::operator_, plan_.operatorName, plan_.operatorPassword)
             : account.kind == Kind::anchor
                 ? loginBody(PrincipalKind::anchor, anchorName(account.number), plan_.password)
                 : loginBody(PrincipalKind::viewer, viewerName(account.number), plan_.password);
      break;
    case Step::lookingUp:
    case Step::opening:
    case Step::ready:
    case Step::banned:
      break;
  }
  if (account.step == Step::lookingUp) {
    appendGet(out, {where, headers, {}});
  } else {
    appendPost(out, {where, headers, body});
  }
  return place;
}

MonotonicUs Preparation::dueUs() const {
  if (!failure_.empty()) return kNever;
  return toAsk_.empty() ? later_.dueUs() : 0;
}

std::optional<Preparation::Step> Preparation::stepAfter(Account& account, const Answer& answer) {
  if (account.kind == Kind::operator_) return operatorStepAfter(account, answer);
  switch (account.step) {
    case Step::registering:
      if (account.kind == Kind::guest) {
        auto session = answer.status == 201 ? readSession(answer.body) : std::nullopt;
        if (!session) return std::nullopt;
        account.session = std::move(*session);
        return Step::ready;
      }
      if (answer.status == 409) return Step::loggingIn;  // name_taken: by an earlier run
      if (answer.status != 201) return std::nullopt;
      account.roomId = integerMember(answer.body, "roomId").value_or(0);
      return Step::loggingIn;
    case Step::loggingIn: {
      auto session = answer.status == 200 ? readSession(answer.body) : std::nullopt;
      if (!session) return std::nullopt;
      account.session = std::move(*session);
      if (account.kind != Kind::anchor) return Step::ready;
      return account.roomId == 0 ? Step::lookingUp : Step::opening;
    }
    case Step::lookingUp:
      account.roomId = integerMember(answer.body, "roomId").value_or(0);
      if (answer.status != 200 || account.roomId == 0) return std::nullopt;
      return Step::opening;
    case Step::opening:
      if (answer.status == 409) return Step::banned;
      if (answer.status != 200) return std::nullopt;
      account.revenue = integerMember(answer.body, "revenue");
      return Step::ready;
    case Step::ready:
    case Step::banned:
      break;
  }
  return std::nullopt;
}

std::optional<Preparation::Step> Preparation::operatorStepAfter(Account& account,
                                                                const Answer& answer) {
  if (account.step == Step::loggingIn && answer.status != 200 && !plan_.needsOperator) {
    return Step::ready;
  }
  if (account.step == Step::lookingUp) {
    // A node without finance has no books to show: the run goes on without them.
    if (answer.status == 200) books_ = readBooks(answer.body);
    return Step::ready;
  }
  auto session = answer.status == 200 ? readSession(answer.body) : std::nullopt;
  if (!session) return std::nullopt;
  account.session = std::move(*session);
  return plan_.readBooks ? Step::lookingUp : Step::ready;
}

void Preparation::answered(Ticket ticket, const Answer& answer, MonotonicUs now) {
  heard_.store(true, std::memory_order_relaxed);
  auto& account = accounts_[ticket];
  const bool optional =
      account.kind == Kind::operator_ && (account.step == Step::lookingUp || !plan_.needsOperator);
  if (!optional && (refused(answer) || answer.status >= 500)) {
    trouble_ = describe(call(account), answer);
    later_.add(now + (refused(answer) ? waitUs(answer) : backOffUs(account.attempts)), ticket);
    return;
  }
  if (const auto step = stepAfter(account, answer)) return goOn(ticket, *step, now);
  if (failure_.empty()) {
    failure_ = describe(call(account), answer) + adviceOn(account, answer);
  }
}

std::string Preparation::adviceOn(const Account& account, const Answer& answer) const {
  if (account.kind == Kind::operator_) {
    return fmt::format(": is this the password of {}? See --operator", plan_.operatorName);
  }
  const auto name =
      account.kind == Kind::anchor ? anchorName(account.number) : viewerName(account.number);
  if (account.step == Step::loggingIn && answer.status == 401) {
    return fmt::format(": {} exists with another password; give that one with --password", name);
  }
  if (answer.status == 404) {
    return ": is this address a Tipflow node with the roles anchor and audience? See --url";
  }
  if (answer.status < 300) return " in a shape this version does not know";
  return "";
}

void Preparation::goOn(std::uint64_t place, Step step, MonotonicUs now) {
  auto& account = accounts_[place];
  account.step = step;
  account.attempts = 0;
  lastProgressUs_ = now;
  if (step != Step::ready && step != Step::banned) {
    toAsk_.push_back(place);
    return;
  }
  if (step == Step::banned) ++banned_;
  finished_.fetch_add(1, std::memory_order_relaxed);
}

void Preparation::lost(Ticket ticket, Loss loss, MonotonicUs now) {
  auto& account = accounts_[ticket];
  trouble_ = fmt::format("{} was not answered: {}", call(account),
                         loss == Loss::timedOut ? "no answer in time" : "the connection broke");
  // Asking twice is harmless: a name registered before is taken, a guest more is one guest more.
  later_.add(now + backOffUs(account.attempts), ticket);
}

void Preparation::unreachable(std::string_view why, MonotonicUs) { trouble_ = why; }

bool Preparation::done(MonotonicUs now) {
  const auto patienceUs = heard() ? kPatienceUs : plan_.firstAnswerUs;
  if (failure_.empty() && finished() < total() && now - lastProgressUs_ > patienceUs) {
    failure_ = fmt::format(
        "the node at http://{} does not serve: {}\n"
        "start one with ./dev up or tipflow serve, or name another with --url",
        plan_.url.authority(), trouble_.empty() ? "no answer" : trouble_);
  }
  if (failure_.empty() && plan_.rooms > 0 && banned_ == static_cast<std::size_t>(plan_.rooms)) {
    failure_ =
        "all rooms of the simulated anchors are banned; lift a ban, or ask for more with --rooms";
  }
  return !failure_.empty() || finished() == total();
}

Population Preparation::takePopulation() {
  Population population;
  population.booksBefore = books_;
  for (auto& account : accounts_) {
    switch (account.kind) {
      case Kind::operator_:
        if (account.session.token.empty()) break;
        population.operator_ = makeSender(plan_.url, PrincipalKind::operator_, plan_.operatorName,
                                          std::move(account.session));
        break;
      case Kind::anchor:
        if (account.step == Step::ready) {
          population.rooms.push_back({account.roomId, account.revenue});
        }
        break;
      case Kind::registered:
      case Kind::guest:
        population.viewers.push_back(makeSender(
            plan_.url, PrincipalKind::viewer,
            account.kind == Kind::registered ? viewerName(account.number) : std::string{},
            std::move(account.session)));
        break;
    }
  }
  return population;
}

}  // namespace tipflow::load
