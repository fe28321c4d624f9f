// Compression of blocks of log lines.
#pragma once

#include <string>
#include <string_view>

namespace tipflow::console {

std::string squeezed(std::string_view text);
/// Throws std::runtime_error when the bytes are damaged. `size`: of the text.
std::string unsqueezed(std::string_view bytes, std::size_t size);

}  // namespace tipflow::console
