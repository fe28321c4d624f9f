#include "console/squeeze.h"

#include <zstd.h>

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
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const auto size =
      ZSTD_compressCCtx(context.get(), out.data(), out.size(), text.data(), text.size(), kEffort);
  if (ZSTD_isError(size) != 0) throw std::runtime_error("a block of lines cannot be compressed");
  out.resize(size);
  return out;
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
