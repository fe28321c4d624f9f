#include "console/squeeze.h"

#include <zstd.h>

#include <algorithm>
#include <memory>
#include <new>
#include <stdexcept>

namespace tipflow::console {
namespace {

// Lines resemble each other so much that more effort gains little and costs several times as much.
constexpr int kEffort = 1;
constexpr std::size_t kLargest = std::size_t{256} * 1024 * 1024;

struct Free {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

std::string squeezed(std::string_view text) {
  // Its tables cost as much to make as a block to compress.
  thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  if (!context) throw std::bad_alloc();
  thread_local std::string
      room;  // as large as the largest block: kept, for it is not made for free
  room.resize(std::max(room.size(), ZSTD_compressBound(text.size())));
  const auto size =
      ZSTD_compressCCtx(context.get(), room.data(), room.size(), text.data(), text.size(), kEffort);
  if (ZSTD_isError(size) != 0) throw std::runtime_error("a block of lines cannot be compressed");
  return room.substr(0, size);
}

std::string unsqueezed(std::string_view bytes, std::size_t size) {
  if (size > kLargest) throw std::runtime_error("a block of lines is damaged");
  std::string out(size, '\0');
  if (ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size()) != size) {
    throw std::runtime_error("a block of lines is damaged");
  }
  return out;
}

}  // namespace tipflow::console
