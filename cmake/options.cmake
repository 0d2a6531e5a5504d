# Warnings, optimisation, sanitizers and the compiler cache, as one private interface target.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")

add_library(gatewise_options INTERFACE)
target_compile_options(gatewise_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                                  -Wconversion -Wno-sign-conversion -Werror)
# Multiply-adds are fused where the kernels say so by name. (For all, since a precompiled header's flags win in GCC.)
target_compile_options(gatewise_options INTERFACE -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these falsely inside the standard library.
  target_compile_options(gatewise_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-dangling-pointer)
endif()
if(GATEWISE_SANITIZE)
  target_compile_options(gatewise_options INTERFACE -fsanitize=${GATEWISE_SANITIZE} -fno-sanitize-recover=all
                                                    -fno-omit-frame-pointer)
  # For their reports lines suffice; and of the kernels, which are the same source for every instruction set, they see
  # the widest that is common and the plain one. Every set is compared with the references in the other builds.
  target_compile_options(gatewise_options INTERFACE -g1)
  target_compile_definitions(gatewise_options INTERFACE GATEWISE_FEW_INSTRUCTION_SETS)
  if(GATEWISE_SANITIZE MATCHES "thread")
    # The sanitizer does not know fences; Asio's locks alone order what is handed between threads.
    target_compile_definitions(gatewise_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND GATEWISE_SANITIZE MATCHES "thread")
    # GCC 12 breaks down in this pass over the instrumented vector kernels.
    target_compile_options(gatewise_options INTERFACE -fno-tree-sra)
  endif()
  target_link_options(gatewise_options INTERFACE -fsanitize=${GATEWISE_SANITIZE})
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Precompiled headers need these two allowances.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
                                  ${CCACHE_PROGRAM})
endif()
