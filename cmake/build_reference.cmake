# SPDX-License-Identifier: Apache-2.0
# Runs Doxygen over guides and headers; a warning fails it, and so does a link of the built pages that
# leads nowhere.
# Run as: cmake -D ROOT=<checkout> -D OUT=<directory> -D PAGES=<redial-doc-pages> -P build_reference.cmake
cmake_minimum_required(VERSION 3.25)

find_program(DOXYGEN doxygen)
if(NOT DOXYGEN)
  message(FATAL_ERROR "doxygen is not installed (Debian: apt-get install doxygen)")
endif()
file(STRINGS "${ROOT}/CMakeLists.txt" project REGEX "^project\\(redial VERSION ")
string(REGEX REPLACE "^project\\(redial VERSION ([0-9.]+).*" "\\1" VERSION "${project}")
# What an earlier run left there would count as built.
file(REMOVE_RECURSE "${OUT}/html" "${OUT}/warnings.txt")
file(MAKE_DIRECTORY "${OUT}")
configure_file("${ROOT}/docs/Doxyfile.in" "${OUT}/Doxyfile" @ONLY)
# Doxygen takes a filter that fails for an empty file, and says nothing.
file(GLOB_RECURSE inputs "${ROOT}/docs/*.md" "${ROOT}/include/redial/*.hpp")
foreach(input IN LISTS inputs)
  execute_process(COMMAND "${PAGES}" filter "${ROOT}" "${input}"
    RESULT_VARIABLE failed OUTPUT_VARIABLE seen)
  if(NOT failed EQUAL 0 OR seen STREQUAL "")
    message(FATAL_ERROR "${PAGES} makes nothing of ${input}: ${failed}")
  endif()
endforeach()
execute_process(COMMAND "${DOXYGEN}" "${OUT}/Doxyfile" RESULT_VARIABLE failed)
if(NOT failed EQUAL 0)
  message(FATAL_ERROR "doxygen failed: ${failed}")
endif()
file(READ "${OUT}/warnings.txt" warnings)
if(NOT warnings STREQUAL "")
  string(REPLACE "${ROOT}/" "" warnings "${warnings}")
  message(FATAL_ERROR "doxygen warns:\n${warnings}")
endif()
execute_process(COMMAND "${PAGES}" html "${OUT}/html" RESULT_VARIABLE failed)
if(NOT failed EQUAL 0)
  message(FATAL_ERROR "links of the built pages lead nowhere (see above)")
endif()
