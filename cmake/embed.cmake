# Files as text inside the program: gatewise_embed(<target> <header> <struct> <function> FILES <files>) adds to <target> the
# definition of `<struct> <function>()`, which <header> declares; the members of <struct> are string views, one per file
# in the order given. Run as a script (cmake -P) this file writes that definition.
if(CMAKE_SCRIPT_MODE_FILE)
  set(members "")
  foreach(file ${FILES})
    file(READ ${file} content)
    string(FIND "${content}" ")gatewise\"" end)
    if(NOT end EQUAL -1)
      message(FATAL_ERROR "${file}: holds the end mark )gatewise\" of the text that it becomes")
    endif()
    string(APPEND members "    R\"gatewise(${content})gatewise\",\n")
  endforeach()
  file(WRITE ${OUTPUT} "#include \"${HEADER}\"\n\nnamespace gatewise {\n\n${STRUCT} ${FUNCTION}() {\n  return {\n"
                       "${members}  };\n}\n\n}  // namespace gatewise\n")
  return()
endif()

function(gatewise_embed target header struct function)
  cmake_parse_arguments(EMBED "" "" "FILES" ${ARGN})
  set(output ${PROJECT_BINARY_DIR}/embedded/${function}.cpp)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} "-DFILES=${EMBED_FILES}" -DOUTPUT=${output} -DHEADER=${header} -DFUNCTION=${function}
            -DSTRUCT=${struct} -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${EMBED_FILES} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
    VERBATIM)
  # Clang's -Wpedantic warns of texts over 64 KiB, which every compiler used here takes.
  set_source_files_properties(${output} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON SKIP_PRECOMPILE_HEADERS ON
                                                   COMPILE_OPTIONS -Wno-overlength-strings)
  target_sources(${target} PRIVATE ${output})
endfunction()
