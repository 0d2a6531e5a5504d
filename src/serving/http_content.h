// Bodies that clients compressed.
#pragma once

#include <string>
#include <string_view>

#include "serving/http_parser.h"

namespace gatewise {

// Replaces a compressed body by what it means, by the request's Content-Encoding: gzip (one member or several
// in a row), deflate (with or without the header of zlib), identity, or none. Returns a fault with status 0,
// or 415 (another encoding, or several), 400 (no such data, or cut off, or something behind it) or 413 (more
// than `max_bytes`: never more memory than that is used).
HttpFault decode_content(HttpRequest& request, int64_t max_bytes);

}  // namespace gatewise
