#include "platform/security/key_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "platform/log.h"
#include "platform/security/crypto.h"

namespace tipflow {
namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags, mode_t mode = 0)
      : number_(open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (number_ < 0) throw KeyError(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  }
  ~Descriptor() { close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

void require(bool fine, const char* what, const std::string& path) {
  if (!fine) throw KeyError(fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)));
}

std::string directoryOf(const std::string& file) {
  const auto parent = std::filesystem::path(file).parent_path().string();
  return parent.empty() ? "." : parent;
}

/// Written beside and moved over. It stays its owner's, whoever changes it: a node that cannot read
/// its keys any more would go on with old ones.
void replaceFile(const std::string& path, std::string_view text) {
  const auto fresh = path + ".new";
  unlink(fresh.c_str());
  {
    const Descriptor file(fresh, O_CREAT | O_EXCL | O_WRONLY, 0600);
    struct stat old{};
    if (stat(path.c_str(), &old) == 0 && (old.st_uid != geteuid() || old.st_gid != getegid())) {
      require(fchown(file.number(), old.st_uid, old.st_gid) == 0, "keep the owner of", path);
    }
    require(write(file.number(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                fsync(file.number()) == 0,
            "write", fresh);
  }
  require(rename(fresh.c_str(), path.c_str()) == 0, "replace", path);
  require(fsync(Descriptor(directoryOf(path), O_RDONLY | O_DIRECTORY).number()) == 0, "write",
          directoryOf(path));
}

}  // namespace

std::string keyFile(KeyKind kind, const std::string& dataDir) {
  return dataDir + (kind == KeyKind::data ? "/data-keys" : "/token-key");
}

std::string_view keySettingName(KeyKind kind) {
  return kind == KeyKind::data ? "security.data_keys" : "security.token_key";
}

KeyList readKeyFile(KeyKind kind, const std::string& file) {
  std::ifstream in(file);
  if (!in) throw KeyError(fmt::format("cannot read {}: {}", file, std::strerror(errno)));
  std::string text(static_cast<std::size_t>(in.seekg(0, std::ios::end).tellg()), '\0');
  in.seekg(0).read(text.data(), static_cast<std::streamsize>(text.size()));
  try {
    auto keys = parseKeyFile(kind, text);
    crypto::wipe(text);
    return keys;
  } catch (const KeyError& error) {
    throw KeyError(fmt::format("{}: {}", file, error.what()));
  }
}

void changeKeyFile(KeyKind kind, const std::string& file,
                   const std::function<void(KeyList&)>& change) {
  const Descriptor directory(directoryOf(file), O_RDONLY | O_DIRECTORY);
  require(flock(directory.number(), LOCK_EX) == 0, "lock", directoryOf(file));
  KeyList keys;
  if (std::filesystem::exists(file)) keys = readKeyFile(kind, file);
  change(keys);
  auto text = formatKeyFile(kind, keys);
  replaceFile(file, text);
  crypto::wipe(text);
}

KeySource::KeySource(KeyKind kind, std::string setting, std::string file)
    : kind_(kind), file_(std::move(file)), fromSetting_(!setting.empty()) {
  if (!fromSetting_) return;
  try {
    keys_ = std::make_shared<const KeyList>(parseKeySetting(kind_, setting));
  } catch (const KeyError& error) {
    throw KeyError(fmt::format("{}: {}", keySettingName(kind_), error.what()));
  }
  crypto::wipe(setting);
}

void KeySource::makeIfAbsent(Time now) {
  if (fromSetting_ || std::filesystem::exists(file_)) return;
  changeKeyFile(kind_, file_, [&](KeyList& keys) {
    if (keys.empty()) keys.push_back(newKey(kind_, now));
  });
}

Keys KeySource::keys() {
  const std::lock_guard lock(mutex_);
  if (fromSetting_) return keys_;
  const auto now = stamp();
  if (keys_ && now == read_) return keys_;
  try {
    auto fresh = std::make_shared<const KeyList>(readKeyFile(kind_, file_));
    if (keys_) {
      log::info("platform", "keys were changed", log::field("kind", word(kind_)),
                log::field("first", fresh->front().id), log::field("keys", fresh->size()));
    }
    keys_ = std::move(fresh);
  } catch (const KeyError& error) {
    if (!keys_) throw;
    log::error("platform", "keys cannot be read again: going on with those read before",
               log::field("kind", word(kind_)),
               log::field("error", std::string_view(error.what())));
  }
  read_ = now;
  return keys_;
}

KeySource::Stamp KeySource::stamp() const {
  struct stat found{};
  if (stat(file_.c_str(), &found) != 0) return {};
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  // The time of the last change to the file or its entry, which nobody can set back.
  return {found.st_ino, found.st_size, found.st_ctim.tv_sec * kNsPerSecond + found.st_ctim.tv_nsec};
}

}  // namespace tipflow
