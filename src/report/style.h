// Emphasis on terminals. Text means the same without it.
#pragma once

#include <string>

namespace gatewise {

struct Style {
  bool has_colour = false;

  std::string heading(const std::string& text) const { return wrap("1", text); }
  std::string warning(const std::string& text) const { return wrap("33", text); }
  std::string aside(const std::string& text) const { return wrap("2", text); }

 private:
  std::string wrap(const char* code, const std::string& text) const {
    return has_colour && !text.empty() ? "\x1b[" + std::string(code) + "m" + text + "\x1b[0m" : text;
  }
};

}  // namespace gatewise
