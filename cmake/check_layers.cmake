# SPDX-License-Identifier: Apache-2.0
# Checks what the compiler cannot: includes point down only, the policy layers are pure, public
# headers stay light, nothing in the library is a coroutine.
# Run as: cmake -D ROOT=<checkout> -P check_layers.cmake
cmake_minimum_required(VERSION 3.25)

include("${CMAKE_CURRENT_LIST_DIR}/RedialLayers.cmake")

# Decisions only: no clock, lock, thread, timer, socket. Addresses are values, and a seam in a public
# header may name the executor that its implementation posts to.
set(PURE_LAYERS watch endpoints)
set(IMPURE_INCLUDE "^(mutex|shared_mutex|thread|condition_variable|atomic|sys/.*|netinet/.*|openssl/.*|boost/asio.*)$")
set(EXECUTOR_INCLUDE "^boost/asio/any_io_executor\\.hpp$")
set(ADDRESS_INCLUDE "^boost/asio/ip/address(_v4|_v6)?\\.hpp$")

# Too heavy, or too private, for a public header.
set(HEAVY_INCLUDE "^(boost/asio\\.hpp|boost/asio/(ip/(tcp|udp)|ssl|basic_.*|steady_timer|system_timer|io_context|strand|thread_pool)(/.*)?(\\.hpp)?|boost/asio/ssl/.*|openssl/.*|ares.*\\.h|fmt/.*|boost/beast\\.hpp)$")
set(STREAM_INCLUDE "^boost/asio/(ip/tcp|ssl|ssl/.*)(\\.hpp)?$")

set(problems "")
macro(problem text)
  list(APPEND problems "${text}")
endmacro()

file(GLOB_RECURSE files RELATIVE "${ROOT}"
  "${ROOT}/include/redial/*.hpp" "${ROOT}/src/*.hpp" "${ROOT}/src/*.cpp")
list(LENGTH files count)
if(count EQUAL 0)
  message(FATAL_ERROR "no sources under ${ROOT}")
endif()

# A line, without its `//` comment, that matches `regex`.
function(has_code file regex result)
  file(STRINGS "${ROOT}/${file}" lines REGEX "^([^/]|/[^/])*${regex}")
  if(lines STREQUAL "")
    set(${result} FALSE PARENT_SCOPE)
  else()
    set(${result} TRUE PARENT_SCOPE)
  endif()
endfunction()

set(ares_users "")
foreach(file IN LISTS files)
  string(REGEX REPLACE "^(include/redial|src)/" "" inside "${file}")
  set(layer "")
  if(inside MATCHES "^([a-z]+)/")
    set(layer "${CMAKE_MATCH_1}")
    if(NOT layer IN_LIST REDIAL_LAYERS AND NOT layer STREQUAL "testing")
      problem("${file}: unknown layer '${layer}'")
      continue()
    endif()
  endif()

  file(STRINGS "${ROOT}/${file}" lines REGEX "^[ \t]*#[ \t]*include")
  foreach(line IN LISTS lines)
    if(NOT line MATCHES "include[ \t]*([<\"])([^>\"]+)[>\"]")
      problem("${file}: cannot read '${line}'")
      continue()
    endif()
    set(quote "${CMAKE_MATCH_1}")
    set(name "${CMAKE_MATCH_2}")

    # Which of our layers is included, if any.
    set(included "")
    if(name MATCHES "^redial/([a-z]+)/")
      set(included "${CMAKE_MATCH_1}")
      if(NOT quote STREQUAL "<")
        problem("${file}: write <${name}>")
      endif()
    elseif(quote STREQUAL "\"")
      if(file MATCHES "^include/")
        problem("${file}: a public header includes the private \"${name}\"")
      elseif(name MATCHES "^([a-z]+)/")
        set(included "${CMAKE_MATCH_1}")
      else()
        problem("${file}: write the layer in \"${name}\"")
      endif()
    endif()
    if(included AND layer AND NOT included STREQUAL layer
        AND NOT included IN_LIST REDIAL_BELOW_${layer})
      problem("${file}: ${layer} may not include ${included} (${name})")
    endif()

    if(layer IN_LIST PURE_LAYERS AND name MATCHES "${IMPURE_INCLUDE}"
        AND NOT name MATCHES "${ADDRESS_INCLUDE}"
        AND NOT (file MATCHES "^include/" AND name MATCHES "${EXECUTOR_INCLUDE}"))
      problem("${file}: ${layer} is pure and may not include <${name}>")
    endif()
    # resolver.hpp gives Asio's own resolver results, so whoever includes it has that header anyway.
    if(file MATCHES "^include/" AND name MATCHES "${HEAVY_INCLUDE}"
        AND NOT ((layer STREQUAL "net" OR file STREQUAL "include/redial/discovery/resolver.hpp")
                 AND name MATCHES "${STREAM_INCLUDE}"))
      problem("${file}: public headers may not include <${name}>")
    endif()
    if(name MATCHES "^ares.*\\.h$")
      list(APPEND ares_users "${file}")
    endif()
  endforeach()

  # Where a shared library and its user each had a vtable and type_info of their own, `catch` and
  # dynamic_cast could miss: the public classes with bases are shown. (Templates, which only users have,
  # are not.)
  if(file MATCHES "^include/")
    file(READ "${ROOT}/${file}" text)
    string(REGEX MATCHALL "[^\n]*\n(class|struct) [a-z_0-9]+( final)? : " derived "${text}")
    foreach(class IN LISTS derived)
      if(NOT class MATCHES "^(template|requires)")
        string(REGEX REPLACE "^[^\n]*\n" "" class "${class}")
        problem("${file}: '${class}' needs REDIAL_API")
      endif()
    endforeach()
  endif()

  has_code("${file}" "co_(await|return|yield)" coroutine)
  if(coroutine)
    problem("${file}: the library has no coroutines")
  endif()
  has_code("${file}" "_clock::now" clock)
  if(clock AND layer IN_LIST PURE_LAYERS)
    problem("${file}: ${layer} is pure: take `now` as an argument")
  endif()
endforeach()

list(REMOVE_DUPLICATES ares_users)
list(LENGTH ares_users count)
if(count GREATER 1)
  list(JOIN ares_users ", " ares_users)
  problem("only one file includes <ares.h>: ${ares_users}")
endif()

if(problems)
  list(JOIN problems "\n  " problems)
  message(FATAL_ERROR "layering:\n  ${problems}")
endif()
