// What a plug-in and the program that loads it must have in common: the same version, the same headers, the
// same compiler and what changes the layout of standard types. Compiled into both, as text.
#pragma once

#include <fmt/core.h>
#include <gatewise_plugin_interface.h>  // made by CMake: GATEWISE_PLUGIN_INTERFACE, of the version and the headers

#include "base/json.h"

#define GATEWISE_TEXT_OF(number) #number
#define GATEWISE_TEXT(number) GATEWISE_TEXT_OF(number)

#if defined(__clang__)
#define GATEWISE_COMPILER "Clang " GATEWISE_TEXT(__clang_major__)
#else
#define GATEWISE_COMPILER "GCC " GATEWISE_TEXT(__GNUC__)
#endif

#if defined(__has_feature)
#define GATEWISE_HAS_FEATURE(feature) __has_feature(feature)
#else
#define GATEWISE_HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || GATEWISE_HAS_FEATURE(address_sanitizer)
#define GATEWISE_SANITIZER ", address sanitizer"
#elif defined(__SANITIZE_THREAD__) || GATEWISE_HAS_FEATURE(thread_sanitizer)
#define GATEWISE_SANITIZER ", thread sanitizer"
#else
#define GATEWISE_SANITIZER ""
#endif

#if defined(_GLIBCXX_DEBUG)
#define GATEWISE_CONTAINERS ", checked containers"
#else
#define GATEWISE_CONTAINERS ""
#endif

#define GATEWISE_PLUGIN_STAMP                                                                             \
  GATEWISE_PLUGIN_INTERFACE                                                                               \
  ", " GATEWISE_COMPILER ", strings " GATEWISE_TEXT(_GLIBCXX_USE_CXX11_ABI)                               \
      GATEWISE_CONTAINERS GATEWISE_SANITIZER ", fmt " GATEWISE_TEXT(FMT_VERSION) ", json " GATEWISE_TEXT( \
          NLOHMANN_JSON_VERSION_MAJOR) "." GATEWISE_TEXT(NLOHMANN_JSON_VERSION_MINOR)

// Stands before the stamp in the file of a plug-in, where it is read before any of its code runs.
#define GATEWISE_PLUGIN_MARK "Gatewise plug-in made for "
