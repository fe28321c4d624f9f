// Whether what was asked for of `tipflow load watch` can be done.
#pragma once

#include <cstddef>
#include <string>

#include "load/watch/watch.h"

namespace tipflow::load::watch {

/// What a process opens beside its viewers' connections, at most.
inline constexpr std::size_t kFilesBeside = 100;
/// How many files a process may open.
std::size_t filesMost();

/// What is wrong with the options; empty when nothing is.
std::string faultOf(const WatchOptions& options);

}  // namespace tipflow::load::watch
