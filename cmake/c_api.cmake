# The embeddable scorer: a shared library over the folders of src that scoring needs. What it uses of fmt, Highway
# and zlib is compiled or linked into it, so that it needs the C and C++ libraries alone.
find_library(GATEWISE_STATIC_ZLIB libz.a REQUIRED)
add_library(gatewise_c SHARED c_api/gatewise_c.cpp c_api/formatting.cpp c_api/targets.cpp)
foreach(folder base kernels graph engine table features model_file scoring)
  target_sources(gatewise_c PRIVATE $<TARGET_OBJECTS:gatewise_${folder}>)
endforeach()
target_include_directories(gatewise_c PUBLIC include PRIVATE src)
target_compile_definitions(gatewise_c PRIVATE GATEWISE_VERSION="${PROJECT_VERSION}")
target_link_libraries(gatewise_c PRIVATE gatewise_options ${GATEWISE_STATIC_ZLIB})
target_link_options(gatewise_c PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/c_api/exports.map
                                       -Wl,--exclude-libs,ALL -Wl,--as-needed)
if(NOT GATEWISE_SANITIZE)
  target_link_options(gatewise_c PRIVATE -Wl,--no-undefined)
endif()
set_target_properties(gatewise_c PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0
                                            LINK_DEPENDS ${PROJECT_SOURCE_DIR}/c_api/exports.map)
