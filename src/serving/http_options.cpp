#include "serving/http_options.h"

namespace gatewise {

void HttpOptions::declare(OptionSet& set) {
  set.add("address", &address,
          "IP address to listen on; the default is reached from this machine only, 0.0.0.0 or :: from all");
  set.add("port", &port, "port to listen on; 0: any free one, which is shown").range(0, 65535);
  set.add("workers", &workers, "threads that read, score and answer; 0: one per core").range(0, 1024);
  set.add("queue", &queue,
          "requests that may wait for each worker; further ones are answered 503 with Retry-After")
      .range(1, 1000000);
  set.add("max_connections", &max_connections,
          "clients that may be connected; further ones are answered 503 with Retry-After")
      .range(1, 1000000);
  set.add("max_body_bytes", &max_body_bytes, "of a request's body, also after decompression; else 413")
      .range(1024, 4e9);
  set.add("max_header_bytes", &max_header_bytes, "of a request's line and headers; else 431")
      .range(256, 1 << 20);
  set.add("header_seconds", &header_seconds,
          "from a request's first byte to the end of its headers; else 408")
      .range(0.01, 86400);
  set.add("body_seconds", &body_seconds, "from there to the end of its body; else 408").range(0.01, 86400);
  set.add("idle_seconds", &idle_seconds, "that a connection is kept without a request").range(0.01, 86400);
  set.add("write_seconds", &write_seconds, "in which a client has to take an answer").range(0.01, 86400);
  set.add("shutdown_seconds", &shutdown_seconds,
          "in which accepted requests are finished after SIGTERM or SIGINT")
      .range(0, 86400);
}

}  // namespace gatewise
