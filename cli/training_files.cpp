#include "cli/training_files.h"

#include <filesystem>

#include "base/error.h"
#include "experiment/shared_rows.h"
#include "table/table_files.h"

namespace gatewise {

Json contents_of_files(const Configuration& configuration) {
  if (configuration.synthetic) return {};
  const Json identity = SharedRows(0, false).identity(configuration);
  Json files = Json::object();
  for (const Part part : all_parts) files[part_name(part)] = identity["data"][part_name(part)];
  return files;
}

std::vector<std::string> warnings_of_shared_files(const DataSpec& data) {
  std::vector<std::pair<Part, std::string>> seen;
  std::vector<std::string> warnings;
  for (const Part part : all_parts) {
    if (data.files(part).empty()) continue;
    for (const std::string& file : expand_files(data.files(part))) {
      for (const auto& [other, known] : seen) {
        std::error_code error;
        if (other == part || !std::filesystem::equivalent(file, known, error)) continue;
        warnings.push_back(fmt::format(
            "data: {} is a file of {} and of {}, so that what is measured on it says nothing of new rows",
            file, part_name(other), part_name(part)));
      }
      seen.emplace_back(part, file);
    }
  }
  return warnings;
}

void require_same_files(const LoadedModel& model, const std::string& directory, const std::string& way_out) {
  if (!model.history.is_object() || !model.history.contains("files")) return;
  const Configuration configuration = Configuration::from_json(model.configuration);
  const Json& then = model.history["files"];
  Json now;
  try {
    now = contents_of_files(configuration);
  } catch (const Error& error) {
    throw Error(error.fault(), fmt::format("{}; put it back, or {}", error.what(), way_out));
  }
  if (now == then) return;
  for (const Part part : all_parts) {
    const char* name = part_name(part);
    const Json of_then = then.value(name, Json::array()), of_now = now.value(name, Json::array());
    if (of_then == of_now) continue;
    const std::vector<std::string>& given = configuration.schema.data.files(part);
    const std::vector<std::string> paths = given.empty() ? given : expand_files(given);
    if (of_then.size() != of_now.size()) {
      data_error("{}: got {} {} files, expected the {} that it was fitted with; put them back, or {}",
                 directory, of_now.size(), name, of_then.size(), way_out);
    }
    for (size_t file = 0; file < of_now.size(); ++file) {
      if (of_now[file] == of_then[file]) continue;
      data_error(
          "{}: is not the {} file that {} was fitted with; got {} bytes with checksum {}, expected {} with "
          "{}; put "
          "it back, or {}",
          paths[file], name, directory, of_now[file]["bytes"].dump(), of_now[file].value("checksum", ""),
          of_then[file].value("bytes", Json()).dump(), of_then[file].value("checksum", ""), way_out);
    }
  }
}

}  // namespace gatewise
