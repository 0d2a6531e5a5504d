#include "serving/protocol_handlers.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/error.h"
#include "serving/json_text.h"
#include "serving/protocol_call.h"
#include "serving/refusal.h"

namespace gatewise {
namespace {

// A path with "*" for a name: of the model in the first, of the version in the second. "*:word" is a name
// before an action.
struct ProtocolRoute {
  std::string_view method, path;
  ProtocolAnswer answer;
};

constexpr ProtocolRoute routes[] = {
    {"POST", "v1/models/*:predict", answer_predict},
    {"POST", "v1/models/*/versions/*:predict", answer_predict},
    {"POST", "v1/models/*:rank", answer_rank},
    {"POST", "v1/models/*/versions/*:rank", answer_rank},
    {"POST", "v2/models/*/infer", answer_infer},
    {"POST", "v2/models/*/versions/*/infer", answer_infer},
    {"GET", "v1/models", answer_models},
    {"GET", "v1/models/*", answer_features},
    {"GET", "v1/models/*/versions/*", answer_features},
    {"GET", "v2", answer_server},
    {"GET", "v2/health/live", answer_live},
    {"GET", "v2/health/ready", answer_ready},
    {"GET", "v2/models/stats", answer_stats},
    {"GET", "v2/models/*", answer_model},
    {"GET", "v2/models/*/ready", answer_model_ready},
    {"GET", "v2/models/*/config", answer_model_config},
    {"GET", "v2/models/*/stats", answer_model_stats},
    {"GET", "v2/models/*/versions/*", answer_model},
    {"GET", "v2/models/*/versions/*/ready", answer_model_ready},
    {"GET", "v2/models/*/versions/*/config", answer_model_config},
    {"GET", "v2/models/*/versions/*/stats", answer_model_stats},
    {"POST", "v2/repository/index", answer_index},
    {"POST", "v2/repository/models/*/load", answer_load},
    {"POST", "v2/repository/models/*/unload", answer_unload},
    {"", "v2/systemsharedmemory/**", answer_not_offered},
    {"", "v2/cudasharedmemory/**", answer_not_offered},
    {"", "v2/trace/**", answer_not_offered},
    {"", "v2/models/*/trace/setting", answer_not_offered},
    {"", "v2/logging", answer_not_offered},
};

// Whether a path, segment by segment and still encoded, is that of the pattern; collects what "*" stands for.
bool matches(std::string_view pattern, std::string_view path, std::array<std::string_view, 2>& names) {
  size_t found = 0;
  while (true) {
    const std::string_view wanted = pattern.substr(0, pattern.find('/'));
    std::string_view given = path.substr(0, path.find('/'));
    if (wanted == "**") return true;
    const bool has_more = given.size() < path.size(), wants_more = wanted.size() < pattern.size();
    if (wanted.starts_with('*')) {
      const std::string_view action = wanted.substr(1);
      if (!given.ends_with(action) || given.size() == action.size()) return false;
      given.remove_suffix(action.size());
      if (action.empty() && !wants_more && given.find(':') != std::string_view::npos) return false;
      names[found++] = given;
    } else if (wanted != given) {
      return false;
    }
    if (has_more != wants_more) return false;
    if (!has_more) return true;
    pattern.remove_prefix(wanted.size() + 1);
    path.remove_prefix(given.size() + (wanted.starts_with('*') ? wanted.size() - 1 : 0) + 1);
  }
}

int hexadecimal(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string_view decoded(std::string_view text, RequestMemory& memory) {
  if (text.find('%') == std::string_view::npos) return text;
  const std::span<char> to = memory.take<char>(text.size());
  size_t size = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      to[size++] = text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hexadecimal(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hexadecimal(text[i + 2]) : -1;
    if (high < 0 || low < 0) refuse(400, "path: \"{}\" has a % that no two hexadecimal digits follow", text);
    to[size++] = static_cast<char>(high * 16 + low);
    i += 2;
  }
  return {to.data(), size};
}

bool is_equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// Browsers say which page a request comes from, and pages of others must not ask a server that the reader's
// machine reaches.
void refuse_other_sites(const Request& request) {
  if (is_equal_without_case(request.fetch_site, "cross-site")) {
    refuse(403,
           "Sec-Fetch-Site: got \"cross-site\", expected a request of no page of another site; ask from a "
           "program, or through a proxy that decides who may");
  }
  if (request.origin.empty()) return;
  const size_t scheme = request.origin.find("://");
  const std::string_view site =
      scheme == std::string_view::npos ? std::string_view() : request.origin.substr(scheme + 3);
  if (!site.empty() && is_equal_without_case(site, request.host)) return;
  refuse(403,
         "Origin: got \"{}\", expected none or that of the server's own Host, \"{}\"; ask from a program, or "
         "through a proxy that decides which pages may",
         request.origin.substr(0, 200), request.host.substr(0, 200));
}

void dispatch(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  std::string_view path = call.request.target.substr(0, call.request.target.find('?'));
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::string_view method = call.request.method == "HEAD" ? "GET" : call.request.method;
  std::string allowed;
  for (const ProtocolRoute& route : routes) {
    std::array<std::string_view, 2> names;
    if (!matches(route.path, path, names)) continue;
    if (!route.method.empty() && route.method != method) {
      if (!allowed.empty()) allowed += ", ";
      allowed += route.method == "GET" ? "GET, HEAD" : route.method;
      continue;
    }
    call.name = decoded(names[0], worker.memory);
    call.version = decoded(names[1], worker.memory);
    return route.answer(worker, call, response);
  }
  if (allowed.empty()) {
    refuse(404, "no such path \"/{}\"; see GET /v2, GET /v1/models and POST /v1/models/NAME:predict", path);
  }
  response.status = 405;
  response.headers.emplace_back("Allow", allowed);
  response.body = json_error(fmt::format("\"/{}\" takes {}, got {}", path, allowed, call.request.method));
}

void fail(Response& response, int status, std::string_view message) {
  response.status = status;
  response.content_type = "application/json";
  response.headers.clear();
  response.rows = 0;
  response.body = json_error(message);
}

int status_of(Fault fault) { return fault == Fault::Internal ? 500 : 400; }

class ProtocolHandler final : public RequestHandler {
 public:
  ProtocolHandler(ModelRepository& repository, const ProtocolOptions& options, size_t number)
      : worker_(repository, options, number) {}

  void answer(const Request& request, Response& response) noexcept override {
    const auto begin = std::chrono::steady_clock::now();
    ProtocolCall call{request, {}, {}, nullptr};
    try {
      response.clear();
      worker_.memory.clear();
      guarded(call, response);
    } catch (...) {  // not even the message of an error has found memory
      response.status = 500;
      response.body.clear();
    }
    if (call.is_scoring && call.model) count(*call.model, response, begin);
    worker_.give_back(call);
  }

 private:
  void guarded(ProtocolCall& call, Response& response) {
    try {
      refuse_other_sites(call.request);
      dispatch(worker_, call, response);
    } catch (const Refusal& refusal) {
      fail(response, refusal.status(), refusal.message());
    } catch (const Error& error) {
      fail(response, status_of(error.fault()), error.what());
    } catch (const std::bad_alloc&) {
      fail(response, 500, "there is not enough memory for the request");
    } catch (const std::exception& error) {
      fail(response, 500, error.what());
    }
  }

  static void count(const ServedModel& model, const Response& response,
                    std::chrono::steady_clock::time_point begin) {
    ServingCounters& counters = model.counters();
    if (response.status != 200) {
      counters.faults.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    using namespace std::chrono;
    const auto time = steady_clock::now() - begin;
    counters.requests.fetch_add(1, std::memory_order_relaxed);
    counters.rows.fetch_add(response.rows, std::memory_order_relaxed);
    counters.nanoseconds.fetch_add(duration_cast<nanoseconds>(time).count(), std::memory_order_relaxed);
    const auto now = system_clock::now().time_since_epoch();
    counters.last.store(duration_cast<milliseconds>(now).count(), std::memory_order_relaxed);
  }

  ProtocolWorker worker_;
};

}  // namespace

std::unique_ptr<RequestHandler> ProtocolHandlers::make() {
  return std::make_unique<ProtocolHandler>(repository_, options_, workers_++);
}

}  // namespace gatewise
