#include "report/predictions_text.h"

#include <fmt/format.h>

#include <iterator>

namespace gatewise {
namespace {

constexpr size_t piece_size = 1 << 16;

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

void write_predictions(const FeatureSpace& space, const std::vector<std::vector<float>>& predictions,
                       int64_t rows, const std::function<void(const std::string& text)>& write) {
  std::string text;
  for (const TaskSpace& task : space.tasks) {
    if (task.kind != "multiclass") text += (text.empty() ? "" : ",") + csv_field(task.name);
    for (const std::string& name : task.class_names)
      text += (text.empty() ? "" : ",") + csv_field(task.name + ":" + name);
  }
  text += '\n';
  for (int64_t row = 0; row < rows; ++row) {
    const char* separator = "";
    for (size_t task = 0; task < space.tasks.size(); ++task) {
      const int64_t width = space.tasks[task].kind == "multiclass" ? space.tasks[task].classes : 1;
      for (int64_t i = 0; i < width; ++i) {
        fmt::format_to(std::back_inserter(text), "{}{}", separator, predictions[task][row * width + i]);
        separator = ",";
      }
    }
    text += '\n';
    if (text.size() >= piece_size) {
      write(text);
      text.clear();
    }
  }
  write(text);
}

}  // namespace gatewise
