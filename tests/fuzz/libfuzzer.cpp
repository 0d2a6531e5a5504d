// The targets for libFuzzer. GATEWISE_FUZZ_TARGET names the one to run; GATEWISE_FUZZ_SEEDS a folder to write
// its seeds into, after which the program ends.
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/fuzz/mutate.h"

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

using namespace gatewise;

const FuzzTarget& chosen() {
  static const FuzzTarget* target = [] {
    const char* name = std::getenv("GATEWISE_FUZZ_TARGET");
    const auto found = fuzz_targets().find(name == nullptr ? "" : name);
    if (found == fuzz_targets().end()) {
      std::cerr << "GATEWISE_FUZZ_TARGET names no target; it is one of:";
      for (const auto& [known, item] : fuzz_targets()) std::cerr << ' ' << known;
      std::cerr << '\n';
      std::_Exit(2);
    }
    return &found->second;
  }();
  return *target;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* folder = std::getenv("GATEWISE_FUZZ_SEEDS");
  if (folder == nullptr) return 0;
  std::filesystem::create_directories(folder);
  int number = 0;
  for (const std::string& seed : chosen().seeds())
    std::ofstream(std::filesystem::path(folder) / ("seed_" + std::to_string(number++)), std::ios::binary)
        << seed;
  std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    run_fuzz_target(chosen(), {reinterpret_cast<const char*>(data), size});
  } catch (const FuzzDefect& defect) {
    std::cerr << "defect: " << defect.what() << '\n';
    std::abort();
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  if (seed % 4 == 0) return LLVMFuzzerMutate(data, size, max_size);
  static Mutator mutator(chosen(), 0);
  mutator.reseed(seed);
  const auto change_bytes = [&](std::string bytes) {
    const size_t before = bytes.size();
    bytes.resize(before + 64);
    bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(bytes.data()), before, bytes.size()));
    return bytes;
  };
  const std::string changed = mutator({reinterpret_cast<const char*>(data), size}, change_bytes);
  const size_t kept = std::min(changed.size(), max_size);
  std::memcpy(data, changed.data(), kept);
  return kept;
}
