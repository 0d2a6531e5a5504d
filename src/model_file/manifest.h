// manifest.json of a model directory: which format it has and how to tell that its files are whole.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model_file/checksum.h"
#include "model_file/mapped_file.h"

namespace gatewise {

inline constexpr int64_t model_format = 1;

struct Manifest {
  int64_t format = model_format;
  std::string version;                              // of the Gatewise that wrote it
  std::map<std::string, WrittenFile> files;         // by path in the directory
  std::map<std::string, std::string> vocabularies;  // embedding table -> path of its levels

  // Sealed: with its own checksum.
  std::string text() const;
};

// The version of this Gatewise.
std::string gatewise_version();

// Throws Error(Data) when there is no model or one of a newer format, or when the manifest is damaged.
Manifest read_manifest(const std::string& directory);
// Every file of the manifest, mapped, sizes and checksums compared. Throws Error(Data) naming the file at
// fault.
std::map<std::string, MappedFile> open_files(const std::string& directory, const Manifest& manifest);
// Throws Error(Data) unless `directory` does not exist, is empty, or holds a model's manifest and nothing
// that a model of Gatewise does not consist of.
void refuse_to_replace(const std::string& directory);

}  // namespace gatewise
