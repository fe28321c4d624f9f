// Names for threads, as `top -H` and profilers show them.
#pragma once

#include <pthread.h>

#include <string>

namespace tipflow {

/// At most 15 bytes are shown.
inline void nameThread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace tipflow
