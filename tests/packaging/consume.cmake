# SPDX-License-Identifier: Apache-2.0
# One way to consume redial, as a user would, checked by what the program prints.
#   cmake -D WAY=... -D VARIANT=static|shared|debug -D WORK=<directory> -D SOURCE=<redial's tree>
#         [-D COMPILER=...] [-D FLAGS=...] -P consume.cmake
# install        what find_package, pkg_config and moved_prefix use
# find_package   with components        pkg_config    with a compiler's command line
# moved_prefix   both of these, after the prefix was moved
# subdirectory   redial's tree within the user's build        fetch_content  the same by FetchContent
# other_folders  only configures: libraries outside of the prefix
# next_version   a copy that calls itself the next version; two_versions: a program that uses both
cmake_minimum_required(VERSION 3.25)

set(here "${CMAKE_CURRENT_LIST_DIR}")
set(BUILD_TYPE Release)
set(SHARED OFF)
if(VARIANT STREQUAL "shared")
  set(SHARED ON)
elseif(VARIANT STREQUAL "debug")
  set(BUILD_TYPE Debug)
endif()
# The library takes longest: it is compiled once for each build type, in a user's project that has it
# within and installs it too. Static and shared libraries are made of the same objects.
set(embed_build "${WORK}/${BUILD_TYPE}/embed")
set(next "${WORK}/next")
set(WORK "${WORK}/${VARIANT}")
set(prefix "${WORK}/prefix")
set(compiler ${COMPILER})
if(NOT compiler)
  set(compiler c++)
endif()

# Runs, and ends with everything that was said when it fails.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nended with ${result}:\n${said}")
  endif()
endfunction()

function(expect_output program expected)
  execute_process(COMMAND ${ARGN} "${program}" RESULT_VARIABLE result OUTPUT_VARIABLE said
    ERROR_VARIABLE complaint TIMEOUT 60)
  if(NOT result EQUAL 0 OR NOT said STREQUAL expected)
    message(FATAL_ERROR "${program} ended with ${result} and printed\n${said}${complaint}instead of\n${expected}")
  endif()
  message("${said}")
endfunction()

file(READ "${here}/consumer/expected.txt" expected)

# This version, and what the next incompatible one will be called.
file(STRINGS "${SOURCE}/CMakeLists.txt" line REGEX "^project\\(redial VERSION ")
string(REGEX MATCH "([0-9]+)\\.([0-9]+)\\.[0-9]+" version "${line}")
if(CMAKE_MATCH_1 EQUAL 0)
  math(EXPR next_minor "${CMAKE_MATCH_2} + 1")
  set(abi "v0_${CMAKE_MATCH_2}")
  set(next_version "0.${next_minor}.0")
  set(next_abi "v0_${next_minor}")
else()
  math(EXPR next_major "${CMAKE_MATCH_1} + 1")
  set(abi "v${CMAKE_MATCH_1}")
  set(next_version "${next_major}.0.0")
  set(next_abi "v${next_major}")
endif()
# Not optimised: what is linked and found is tested here, not how fast it is.
set(settings -G Ninja "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}" "-DCMAKE_CXX_FLAGS_RELEASE=-O0 -DNDEBUG"
  "-DCMAKE_CXX_COMPILER=${compiler}" "-DCMAKE_CXX_FLAGS=${FLAGS}" "-DBUILD_SHARED_LIBS=${SHARED}")
find_program(ccache ccache)
if(ccache)
  list(APPEND settings "-DCMAKE_CXX_COMPILER_LAUNCHER=${ccache}")
endif()

# A user's project: configure, build, run.
function(consume project build)
  run(${CMAKE_COMMAND} -S "${here}/${project}" -B "${build}" ${settings} ${ARGN})
  run(${CMAKE_COMMAND} --build "${build}")
  expect_output("${build}/hello" "${expected}")
endfunction()

function(consume_by_find_package from)
  file(REMOVE_RECURSE "${WORK}/find_package")
  consume(find_package "${WORK}/find_package" "-DCMAKE_PREFIX_PATH=${from}" "-DREDIAL_VERSION=${version}")
  expect_output("${WORK}/find_package/kit" "the kit works\n")
endfunction()

# Another Boost than the library's makes other types: whoever finds one is told.
function(expect_warning_about_boost from)
  set(boost "${WORK}/other_boost")
  file(WRITE "${boost}/BoostConfig.cmake" "add_library(Boost::headers INTERFACE IMPORTED)\n")
  file(WRITE "${boost}/BoostConfigVersion.cmake"
    "set(PACKAGE_VERSION 1.999.0)\nset(PACKAGE_VERSION_COMPATIBLE TRUE)\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -S "${here}/find_package" -B "${boost}/build" ${settings}
      "-DBoost_DIR=${boost}" "-DCMAKE_PREFIX_PATH=${from}" "-DREDIAL_VERSION=${version}"
    OUTPUT_QUIET ERROR_VARIABLE said)
  if(NOT said MATCHES "built with Boost[ \n]+1\\.[0-9]+,[ \n]+and[ \n]+this[ \n]+is[ \n]+Boost[ \n]+1\\.999")
    message(FATAL_ERROR "no warning about another Boost:\n${said}")
  endif()
endfunction()

function(consume_by_pkg_config from)
  file(GLOB_RECURSE pc "${from}/*/redial.pc")
  cmake_path(GET pc PARENT_PATH pc_dir)
  cmake_path(GET pc_dir PARENT_PATH lib_dir)
  set(ENV{PKG_CONFIG_PATH} "${pc_dir}")
  run(pkg-config --validate redial redial-testing)
  set(linkage --static)
  if(SHARED)
    set(linkage --shared)
  endif()
  foreach(pair IN ITEMS "hello:redial" "kit:redial-testing")
    string(REGEX MATCH "^(.*):(.*)$" pair "${pair}")
    set(program ${CMAKE_MATCH_1})
    execute_process(COMMAND pkg-config ${linkage} --cflags --libs ${CMAKE_MATCH_2}
      OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    separate_arguments(flags UNIX_COMMAND "${FLAGS} ${flags}")
    run(${compiler} -std=c++20 "${here}/consumer/${program}.cpp" -o "${WORK}/${program}" ${flags})
  endforeach()
  set(environment ${CMAKE_COMMAND} -E env "LD_LIBRARY_PATH=${lib_dir}")
  expect_output("${WORK}/hello" "${expected}" ${environment})
  expect_output("${WORK}/kit" "the kit works\n" ${environment})
endfunction()

# Nothing that was installed may name where it was built or installed.
function(check_relocatable from)
  file(GLOB_RECURSE texts "${from}/*.cmake" "${from}/*.pc" "${from}/*.hpp")
  foreach(text IN LISTS texts)
    file(STRINGS "${text}" lines)
    foreach(place IN ITEMS "${WORK}" "${embed_build}" "${SOURCE}")
      string(FIND "${lines}" "${place}" at)
      if(NOT at EQUAL -1)
        message(FATAL_ERROR "${text} names ${place}")
      endif()
    endforeach()
  endforeach()
endfunction()

# The linker of a program may name one library and leave the others to it.
function(check_libraries_find_each_other from)
  file(GLOB_RECURSE libraries "${from}/libredial*.so")
  foreach(library IN LISTS libraries)
    execute_process(COMMAND ldd "${library}" OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
    if(said MATCHES "libredial[^\n]*not found")
      message(FATAL_ERROR "${library} does not find what lies beside it:\n${said}")
    endif()
  endforeach()
endfunction()

# Replaces `from`, which must be there.
function(edit file from to)
  file(READ "${file}" text)
  string(REPLACE "${from}" "${to}" edited "${text}")
  if(edited STREQUAL text)
    message(FATAL_ERROR "no '${from}' in ${file}")
  endif()
  file(WRITE "${file}" "${edited}")
endfunction()

set(library_only -DREDIAL_UNITY=ON -DREDIAL_BUILD_TESTS=OFF -DREDIAL_BUILD_EXAMPLES=OFF
  -DREDIAL_BUILD_BENCHMARKS=OFF -DREDIAL_BUILD_TOOLS=OFF)
set(embedded "-DREDIAL_SOURCE=${SOURCE}" -DREDIAL_UNITY=ON -DREDIAL_INSTALL=ON)

if(WAY STREQUAL "install")
  file(REMOVE_RECURSE "${prefix}")
  consume(embed "${embed_build}" -DWAY=subdirectory ${embedded})
  run(${CMAKE_COMMAND} --install "${embed_build}" --prefix "${prefix}")
  check_relocatable("${prefix}")
elseif(WAY STREQUAL "find_package")
  consume_by_find_package("${prefix}")
  expect_warning_about_boost("${prefix}")
elseif(WAY STREQUAL "pkg_config")
  consume_by_pkg_config("${prefix}")
elseif(WAY STREQUAL "moved_prefix")
  # Moved and not copied: what still looked at the old place would not find it.
  file(REMOVE_RECURSE "${WORK}/a place")
  file(MAKE_DIRECTORY "${WORK}/a place")
  file(RENAME "${prefix}" "${WORK}/a place/second")
  set(WORK "${WORK}/a place")
  check_libraries_find_each_other("${WORK}/second")
  consume_by_find_package("${WORK}/second")
  consume_by_pkg_config("${WORK}/second")
elseif(WAY MATCHES "^(subdirectory|fetch_content)$")
  consume(embed "${embed_build}" -DWAY=${WAY} ${embedded})
elseif(WAY STREQUAL "other_folders")
  run(${CMAKE_COMMAND} -S "${SOURCE}" -B "${WORK}/other_folders" ${settings} ${library_only}
    -DCMAKE_INSTALL_PREFIX=/one/place -DCMAKE_INSTALL_LIBDIR=/another/lib)
  foreach(name IN ITEMS redial redial-testing)
    file(STRINGS "${WORK}/other_folders/${name}.pc" lines REGEX "^[a-z]*dir=|^prefix=")
    if(NOT lines STREQUAL "prefix=/one/place;includedir=\${prefix}/include;libdir=/another/lib")
      message(FATAL_ERROR "${name}.pc says ${lines}")
    endif()
  endforeach()
elseif(WAY STREQUAL "next_version")
  # What the next minor version will be called, of the same code.
  file(REMOVE_RECURSE "${next}")
  file(COPY "${SOURCE}/CMakeLists.txt" "${SOURCE}/LICENSE" "${SOURCE}/cmake" "${SOURCE}/include"
    "${SOURCE}/src" DESTINATION "${next}")
  edit("${next}/CMakeLists.txt" "VERSION ${version}" "VERSION ${next_version}")
  edit("${next}/include/redial/core/abi.hpp" "${abi}" "${next_abi}")
  set(version_parts MAJOR MINOR PATCH)
  string(REPLACE "." ";" next_numbers "${next_version}")
  file(READ "${next}/include/redial/core/version.hpp" text)
  foreach(part number IN ZIP_LISTS version_parts next_numbers)
    string(REGEX REPLACE "(REDIAL_VERSION_${part}) [0-9]+" "\\1 ${number}" text "${text}")
  endforeach()
  file(WRITE "${next}/include/redial/core/version.hpp" "${text}")
  run(${CMAKE_COMMAND} -S "${next}" -B "${next}/build" ${settings} ${library_only}
    -DREDIAL_WITH_METRICS=OFF -DREDIAL_WITH_TESTING=OFF -DCMAKE_INSTALL_LIBDIR=lib)
  run(${CMAKE_COMMAND} --build "${next}/build")
  run(${CMAKE_COMMAND} --install "${next}/build" --prefix "${next}/prefix")
elseif(WAY STREQUAL "two_versions")
  set(ENV{LD_LIBRARY_PATH} "${next}/prefix/lib")
  set(expected "${version}: hello, how are you\n${next_version}: hello, how are you\n")
  file(REMOVE_RECURSE "${WORK}/two_versions")
  consume(two_versions "${WORK}/two_versions" "-DCMAKE_PREFIX_PATH=${prefix}"
    "-DREDIAL_VERSION=${version}" "-DNEXT_PREFIX=${next}/prefix")
else()
  message(FATAL_ERROR "no way '${WAY}' to consume redial")
endif()
