// The state of a training run in one file, replaced in one step: a crash while writing leaves the one before.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "model_file/tensors.h"

namespace gatewise {

// What to write; the caller keeps the tensors' memory.
struct Checkpoint {
  Json state;
  std::vector<NamedTensor> tensors;  // any name but "state"
};

struct LoadedCheckpoint {
  // As it was written, to the bit: infinities and NaN too, which JSON text would lose.
  Json state;
  TensorFile tensors;
};

// Throws Error(Data) when the file cannot be written.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);
// Throws Error(Data) when the file is missing, damaged, no checkpoint or of a newer format.
LoadedCheckpoint load_checkpoint(const std::string& path);

}  // namespace gatewise
