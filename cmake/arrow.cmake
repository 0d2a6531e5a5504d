# Arrow C++: an installed CMake package if there is one, otherwise the libraries inside the pinned pyarrow wheel of
# the project's virtual environment (made by tools/setup).
add_library(Gatewise::Arrow INTERFACE IMPORTED)
find_package(Arrow QUIET)
find_package(Parquet QUIET)
if(Arrow_FOUND AND Parquet_FOUND)
  target_link_libraries(Gatewise::Arrow INTERFACE Arrow::arrow_shared Parquet::parquet_shared)
else()
  execute_process(
    COMMAND ${GATEWISE_PYTHON} -c
            "import pyarrow as a; print(a.get_include(), a.get_library_dirs()[0], a.cpp_build_info.so_version, sep=';')"
    OUTPUT_VARIABLE answer OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "Arrow C++ not found: run tools/setup, which installs pyarrow into .venv, or install Arrow's "
                        "CMake package")
  endif()
  list(GET answer 0 include_dir)
  list(GET answer 1 library_dir)
  list(GET answer 2 so_version)
  target_include_directories(Gatewise::Arrow SYSTEM INTERFACE ${include_dir})
  # The wheel has no unversioned names; by full path CMake also records where the program finds them.
  target_link_libraries(Gatewise::Arrow INTERFACE ${library_dir}/libarrow.so.${so_version}
                                                  ${library_dir}/libparquet.so.${so_version})
endif()
