// The head of an answer as it goes over the wire, and answers that the front gives itself.
#pragma once

#include <string>
#include <string_view>

#include "serving/http_parser.h"
#include "serving/request.h"

namespace gatewise {

// Appends status line, headers and the empty line. `date` is that of now (RFC 9110, 5.6.7).
void append_head(const Response& response, bool keeps_alive, bool is_http_10, std::string_view date,
                 std::string& output);

// {"error": "..."} with the fault's status; 503 says when to come again.
void answer_fault(const HttpFault& fault, Response& response);

std::string http_date(int64_t seconds_since_1970);

}  // namespace gatewise
