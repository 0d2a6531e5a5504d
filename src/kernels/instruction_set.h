// Which vector instructions the float kernels use. One binary holds all levels; the best one that this
// machine has is taken at first use, unless the environment variable GATEWISE_INSTRUCTION_SET names another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gatewise::kernels {

// The level in use ("avx512", "avx2", "sse4", "baseline"; "neon" on Arm). Chooses it if none was chosen yet.
std::string instruction_set_name();

// The levels that this machine supports, best first. The last is always "baseline": plain scalar code.
std::vector<std::string> instruction_sets();

// Every level of this binary, supported by this machine or not, best first.
std::vector<std::string> known_instruction_sets();

// Takes the level `name` from now on; "" means the best one. An unknown or unsupported level is an error
// (Fault::Command). Not while kernels run on other threads. Matrices packed before must be packed again.
void use_instruction_set(std::string_view name);

}  // namespace gatewise::kernels
