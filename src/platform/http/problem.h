// Problem documents (RFC 9457): how every error looks to a client.
#pragma once

#include "base/result.h"
#include "platform/http/call.h"

namespace tipflow::http {

/// `acceptLanguage` chooses the language of what people read; codes stay as they are.
ResponsePtr problem(const Rejection& rejection, std::string_view traceId,
                    std::string_view acceptLanguage);

/// True when zh is preferred over en.
bool prefersChinese(std::string_view acceptLanguage);

}  // namespace tipflow::http
