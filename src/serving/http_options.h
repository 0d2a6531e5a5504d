// How the HTTP front listens and what it allows its clients. Declared once: command line, help and checks
// follow.
#pragma once

#include <cstdint>
#include <string>

#include "base/options.h"

namespace gatewise {

struct HttpOptions {
  std::string address = "127.0.0.1";
  int64_t port = 8080;
  int64_t workers = 0;
  int64_t queue = 256;
  int64_t max_connections = 4096;
  int64_t max_body_bytes = int64_t{64} << 20;
  int64_t max_header_bytes = 16384;
  double header_seconds = 10;
  double body_seconds = 60;
  double idle_seconds = 75;
  double write_seconds = 60;
  double shutdown_seconds = 30;
  void declare(OptionSet& set);
};

}  // namespace gatewise
