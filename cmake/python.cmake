# The Python module over the folders of src that need no files of tables. What it uses of fmt, Highway and zlib is
# compiled or linked into it, as into the C library. In the tree it goes to <build>/python/gatewise, beside the
# package's Python files: PYTHONPATH=<build>/python imports it.
if(NOT SKBUILD)
  set(Python_EXECUTABLE ${GATEWISE_PYTHON})
endif()
find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module)
execute_process(COMMAND ${Python_EXECUTABLE} -m nanobind --cmake_dir
                OUTPUT_VARIABLE nanobind_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
find_package(nanobind CONFIG REQUIRED)
find_library(GATEWISE_STATIC_ZLIB libz.a REQUIRED)

file(GLOB python_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/python/src/*.cpp)
nanobind_add_module(gatewise_python NB_STATIC NOMINSIZE ${python_sources} ${PROJECT_SOURCE_DIR}/c_api/formatting.cpp
                    ${PROJECT_SOURCE_DIR}/c_api/targets.cpp)
# With hidden definitions in the module's own sources there would be registries that plug-ins do not see. GCC notes where
# our types hold nanobind's, which are hidden.
set_target_properties(gatewise_python PROPERTIES CXX_VISIBILITY_PRESET default VISIBILITY_INLINES_HIDDEN OFF)
target_compile_options(gatewise_python PRIVATE -Wno-attributes)
set_target_properties(nanobind-static PROPERTIES SYSTEM ON)  # our warnings are not for its headers
get_property(folders GLOBAL PROPERTY gatewise_library_folders)
foreach(folder ${folders})
  target_sources(gatewise_python PRIVATE $<TARGET_OBJECTS:${folder}>)
endforeach()
target_include_directories(gatewise_python PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(gatewise_python PRIVATE GATEWISE_VERSION="${PROJECT_VERSION}")
target_link_libraries(gatewise_python PRIVATE gatewise_options ${GATEWISE_STATIC_ZLIB})
target_link_options(gatewise_python PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/python/src/exports.map
                                            -Wl,--exclude-libs,ALL -Wl,--as-needed -Wl,-Bsymbolic-functions)
set(package ${PROJECT_BINARY_DIR}/python/gatewise)
set_target_properties(gatewise_python PROPERTIES OUTPUT_NAME _core LIBRARY_OUTPUT_DIRECTORY ${package}
                                                 LINK_DEPENDS ${PROJECT_SOURCE_DIR}/python/src/exports.map)
nanobind_add_stub(gatewise_stub MODULE _core OUTPUT ${package}/_core.pyi PYTHON_PATH ${package} DEPENDS gatewise_python)
nanobind_add_stub(gatewise_graph_stub MODULE _core.graph OUTPUT ${package}/graph.pyi PYTHON_PATH ${package}
                  DEPENDS gatewise_python)

if(SKBUILD)
  install(TARGETS gatewise_python LIBRARY DESTINATION gatewise)
  install(FILES ${package}/_core.pyi ${package}/graph.pyi DESTINATION gatewise)
else()
  file(GLOB python_files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/python/gatewise/*)
  foreach(file ${python_files})
    get_filename_component(name ${file} NAME)
    if(NOT IS_DIRECTORY ${file})
      add_custom_command(OUTPUT ${package}/${name} COMMAND ${CMAKE_COMMAND} -E copy ${file} ${package}/${name}
                         DEPENDS ${file})
      list(APPEND copied ${package}/${name})
    endif()
  endforeach()
  add_custom_target(gatewise_package ALL DEPENDS ${copied})
  add_dependencies(gatewise_package gatewise_python gatewise_stub gatewise_graph_stub)
endif()
