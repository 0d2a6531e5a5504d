// Folders that models are served from: what they are called, which versions they hold, whether they have
// changed.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "scoring/servable_model.h"

namespace gatewise {

// {name, path} of "path" or "name=path"; the name of a path is that of its last folder. Throws
// Error(Command) for a name that cannot stand in an address.
std::pair<std::string, std::string> model_source(const std::string& argument);

struct VersionFolders {
  std::map<int64_t, std::string> versions;  // number -> path
  std::vector<std::string> passed_over;     // names of folders that are no versions, ascending
};

// The versions in a folder; a model directory itself is version 1. Throws Error(Data) when it is neither.
VersionFolders version_folders(const std::string& path);

// Names, sizes, times and numbers of all files below: differs when anything was written. Empty when there is
// nothing to see.
std::string folder_fingerprint(const std::string& path);

// Loads a model and scores its example rows. Throws Error(Data) when either shows that it is damaged.
std::shared_ptr<const ServableModel> load_checked(const std::string& path);

}  // namespace gatewise
