#include "serving/http_answer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/beast/http/status.hpp>
#include <iterator>

#include "base/json.h"

namespace gatewise {

void append_head(const Response& response, bool keeps_alive, bool is_http_10, std::string_view date,
                 std::string& output) {
  const auto reason = boost::beast::http::obsolete_reason(
      boost::beast::http::int_to_status(static_cast<unsigned>(response.status)));
  const auto add = [&](std::string_view name, std::string_view value) {
    output.append(name).append(": ").append(value).append("\r\n");
  };
  output.append("HTTP/1.1 ").append(fmt::format_int(response.status).c_str()).append(" ");
  output.append(reason.data(), reason.size()).append("\r\n");
  if (!response.content_type.empty()) add("Content-Type", response.content_type);
  add("Content-Length", fmt::format_int(response.body.size()).c_str());
  add("Date", date);
  for (const auto& [name, value] : response.headers) add(name, value);
  if (!keeps_alive) add("Connection", "close");
  if (keeps_alive && is_http_10) add("Connection", "keep-alive");
  output.append("\r\n");
}

void answer_fault(const HttpFault& fault, Response& response) {
  response.clear();
  response.status = fault.status;
  if (fault.status == 503) response.headers.emplace_back("Retry-After", "1");
  // Bytes of the client that are no UTF-8 are replaced, not refused.
  response.body = Json{{"error", fault.message}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string http_date(int64_t seconds_since_1970) {
  const std::tm time = fmt::gmtime(static_cast<std::time_t>(seconds_since_1970));
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[time.tm_wday], time.tm_mday,
                     months[time.tm_mon], 1900 + time.tm_year, time.tm_hour, time.tm_min, time.tm_sec);
}

}  // namespace gatewise
