// Processor time: on a shared machine the only steady clock.
#pragma once

#include <ctime>

namespace gatewise::benchmarks {

inline double clock_seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Of the calling thread.
inline double thread_seconds() { return clock_seconds(CLOCK_THREAD_CPUTIME_ID); }
// Of all threads.
inline double process_seconds() { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }

}  // namespace gatewise::benchmarks
