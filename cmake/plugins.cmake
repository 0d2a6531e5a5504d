# What plug-ins out of the tree are built with: the headers of the parts they are made of, and the CMake package
# `gatewise`, both for the build tree (<build>/package) and installed. Run as a script (cmake -P) this file writes the
# header that tells builds apart by version and a checksum of those headers.
if(CMAKE_SCRIPT_MODE_FILE)
  set(sums "")
  foreach(header ${HEADERS})
    file(SHA256 ${header} sum)
    string(APPEND sums ${sum})
  endforeach()
  string(SHA256 sum "${sums}")
  string(SUBSTRING ${sum} 0 16 sum)
  file(WRITE ${OUTPUT} "#define GATEWISE_PLUGIN_INTERFACE \"gatewise ${VERSION}, headers ${sum}\"\n")
  return()
endif()

set(gatewise_plugin_folders base kernels graph table experts gates towers architectures losses metrics)
set(gatewise_plugin_headers "")
foreach(folder ${gatewise_plugin_folders})
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${folder}/*.h)
  list(APPEND gatewise_plugin_headers ${headers})
endforeach()
list(FILTER gatewise_plugin_headers EXCLUDE REGEX "(-inl|/precompiled|/targets)\\.h$")

set(gatewise_interface_folder ${PROJECT_BINARY_DIR}/interface)
set(gatewise_interface_header ${gatewise_interface_folder}/gatewise_plugin_interface.h)
add_custom_command(
  OUTPUT ${gatewise_interface_header}
  COMMAND ${CMAKE_COMMAND} "-DHEADERS=${gatewise_plugin_headers}" -DVERSION=${PROJECT_VERSION}
          -DOUTPUT=${gatewise_interface_header} -P ${PROJECT_SOURCE_DIR}/cmake/plugins.cmake
  DEPENDS ${gatewise_plugin_headers} ${PROJECT_SOURCE_DIR}/cmake/plugins.cmake
  VERBATIM)

# Gives a target of this tree the header.
function(gatewise_knows_interface target)
  target_sources(${target} PRIVATE ${gatewise_interface_header})
  target_include_directories(${target} PRIVATE ${gatewise_interface_folder})
endfunction()

# gatewise_package(<config file> <include folders> <stamp source>)
function(gatewise_package output includes stamp_source)
  set(GATEWISE_PLUGIN_INCLUDES ${includes})
  set(GATEWISE_PLUGIN_STAMP_SOURCE ${stamp_source})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/gatewise-config.cmake.in ${output} @ONLY)
endfunction()

include(CMakePackageConfigHelpers)
set(package ${PROJECT_BINARY_DIR}/package)
gatewise_package(${package}/gatewise-config.cmake "${PROJECT_SOURCE_DIR}/src;${gatewise_interface_folder}"
                 ${PROJECT_SOURCE_DIR}/cmake/plugin_stamp.cpp)
write_basic_package_version_file(${package}/gatewise-config-version.cmake COMPATIBILITY ExactVersion)

# The wheel of the Python package installs what it holds itself.
if(NOT SKBUILD)
  include(GNUInstallDirs)
  set(from_package "\${CMAKE_CURRENT_LIST_DIR}/../../..")
  gatewise_package(${package}/installed/gatewise-config.cmake
                   "${from_package}/${CMAKE_INSTALL_INCLUDEDIR}/gatewise/core"
                   "\${CMAKE_CURRENT_LIST_DIR}/plugin_stamp.cpp")
  foreach(header ${gatewise_plugin_headers})
    cmake_path(GET header PARENT_PATH folder)
    cmake_path(GET folder FILENAME folder)
    install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gatewise/core/${folder} COMPONENT plugins)
  endforeach()
  install(FILES ${gatewise_interface_header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gatewise/core COMPONENT plugins)
  install(FILES ${package}/installed/gatewise-config.cmake ${package}/gatewise-config-version.cmake
                ${PROJECT_SOURCE_DIR}/cmake/plugin_stamp.cpp
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/gatewise COMPONENT plugins)
endif()
