// Where a node's keys come from: a setting, or a file in its data directory that may change while
// the node runs.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <mutex>
#include <string>

#include "platform/security/key_list.h"

namespace tipflow {

/// `data-keys` or `token-key` in this directory.
[[nodiscard]] std::string keyFile(KeyKind kind, const std::string& dataDir);
/// `security.data_keys` or `security.token_key`.
[[nodiscard]] std::string_view keySettingName(KeyKind kind);

/// Throws KeyError, which names the file.
[[nodiscard]] KeyList readKeyFile(KeyKind kind, const std::string& file);
/// Changes the keys in a file and writes it whole: whoever reads it sees the old or the new one.
/// One change at a time, of all processes. A file that is not there is an empty list to `change`,
/// which may throw to leave everything as it is.
void changeKeyFile(KeyKind kind, const std::string& file,
                   const std::function<void(KeyList&)>& change);

/// Thread-safe.
class KeySource {
 public:
  /// `setting`: the setting's value; when it is empty the keys stand in `file`.
  KeySource(KeyKind kind, std::string setting, std::string file);
  KeySource(const KeySource&) = delete;
  KeySource& operator=(const KeySource&) = delete;

  /// Makes the file with a first key, when the keys are to be there and are not.
  void makeIfAbsent(Time now);

  /// The keys as they are now: a file that changed is read again. The first call throws KeyError
  /// when there are none to be had; later a file that cannot be used is logged, and the keys stay.
  [[nodiscard]] Keys keys();

 private:
  /// What tells one state of the file from another; all zero when it is not there.
  struct Stamp {
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t changedNs = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  [[nodiscard]] Stamp stamp() const;

  const KeyKind kind_;
  const std::string file_;
  std::mutex mutex_;
  Keys keys_;  // for good when they come from the setting
  bool fromSetting_;
  Stamp read_;
};

}  // namespace tipflow
