// Plug-ins out of the tree: shared libraries whose sources look like those of the tree's own gates and
// architectures, and register themselves in the same way when they are loaded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gatewise {

struct LoadedPlugin {
  std::string path;
  std::vector<std::string> parts;  // the names it has registered, in its order
  uint64_t checksum = 0;           // of the file
};

// Loads the library for the rest of the process; a file that is loaded already is not loaded again. Before
// any of its code runs, the stamp in it is compared with plugin_stamp(). Throws Error(Command) when it cannot
// be read, is no plug-in, was made for another build of Gatewise, lacks symbols, or registers a name that is
// taken; in the last case the parts before it stay registered.
LoadedPlugin load_plugin(const std::string& path);

// Checksums of the contents of the libraries loaded so far, sorted: what parts of the same names computed.
std::vector<uint64_t> loaded_plugin_checksums();

// What plug-ins of this build must be made for: version, headers, compiler.
std::string plugin_stamp();

}  // namespace gatewise
