# What comes from outside; docs/architecture.md says why each was chosen.
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(LibLZMA REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(ZLIB REQUIRED)
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
add_library(hwy::hwy ALIAS PkgConfig::HWY)
include(cmake/arrow.cmake)

set(GATEWISE_ECHARTS "${PROJECT_SOURCE_DIR}/.cache/echarts/echarts.min.js" CACHE FILEPATH "the chart library of reports")
if(NOT EXISTS ${GATEWISE_ECHARTS})
  message(FATAL_ERROR "the chart library is not there: run tools/setup, or set GATEWISE_ECHARTS to an echarts.min.js, "
                      "version 6")
endif()
