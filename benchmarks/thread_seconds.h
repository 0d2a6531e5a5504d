// The time that the calling thread has spent on a processor: on a shared machine the only steady clock.
#pragma once

#include <ctime>

namespace gatewise::benchmarks {

inline double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace gatewise::benchmarks
