# SPDX-License-Identifier: Apache-2.0
# How a target of ours is made: warnings, include paths, one object library per layer.

# Private to our own code; nothing here reaches a user of the library.
function(redial_developer_settings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    # Not for an optimised build (preset `release`): g++ 12 then finds overlapping copies in std::string.
    $<$<BOOL:${REDIAL_WERROR}>:-Werror>)
  # The one place for Asio macros. They change inline functions, so a library must be compiled with
  # the same ones as its users: by default there are none. A developer build, where library and
  # tests are compiled together, refuses deprecated names.
  target_compile_definitions(${target} PRIVATE
    $<$<BOOL:${REDIAL_WERROR}>:BOOST_ASIO_NO_DEPRECATED>)
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
endfunction()

# What compiling against the library takes.
function(redial_usage target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PUBLIC Boost::headers OpenSSL::SSL OpenSSL::Crypto
    Threads::Threads)
  target_link_libraries(${target} PRIVATE fmt::fmt c-ares::cares ${REDIAL_RESOLV_LIBRARY})
endfunction()

function(redial_configure_library target)
  redial_usage(${target})
  redial_developer_settings(${target})
  set_target_properties(${target} PROPERTIES
    POSITION_INDEPENDENT_CODE ON
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
    VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

# Compiles the files of `target` in a few large ones, a third of the time. Only where REDIAL_UNITY says
# so: a file's own includes are checked by the builds without.
function(redial_join_sources target)
  if(REDIAL_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 12)
    # The files share a scope here only, so that one may shadow what another declares.
    target_compile_options(${target} PRIVATE -Wno-shadow)
  endif()
endfunction()

# The object library redial_<layer> from src/<layer>/*.cpp, its objects and its public headers added
# to `redial`. A layer without sources is an interface library, so that naming it works.
function(redial_add_layer layer)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${layer}/*.cpp")
  file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/redial/${layer}/*.hpp"
    "${PROJECT_SOURCE_DIR}/include/redial/${layer}/impl/*.hpp")
  if(headers)
    target_sources(redial PUBLIC FILE_SET HEADERS
      BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${headers})
  endif()
  if(NOT sources)
    add_library(redial_${layer} INTERFACE)
    return()
  endif()
  add_library(redial_${layer} OBJECT ${sources})
  redial_usage(redial_${layer})
  redial_developer_settings(redial_${layer})
  set_target_properties(redial_${layer} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  list(LENGTH sources count)
  if(count GREATER 3)  # else there is nothing to gain
    redial_join_sources(redial_${layer})
  endif()
  target_sources(redial PRIVATE $<TARGET_OBJECTS:redial_${layer}>)
endfunction()

# Links `target` with the layer, those below it and the test kit, not with the whole library: its
# tests build while a layer above does not, and a call upwards does not link.
function(redial_link_layer target layer)
  foreach(used IN LISTS REDIAL_BELOW_${layer} ITEMS ${layer})
    if(used STREQUAL "testing")
      continue()
    endif()
    get_target_property(type redial_${used} TYPE)
    if(type STREQUAL "OBJECT_LIBRARY")
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:redial_${used}>)
    endif()
  endforeach()
  get_target_property(type redial_testing TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    # The archive alone: as a target it would bring `redial` along.
    target_link_libraries(${target} PRIVATE $<TARGET_FILE:redial_testing>)
    add_dependencies(${target} redial_testing)
  endif()
  redial_usage(${target})  # after the archive, which needs what this links
endfunction()

function(redial_add_test_kit)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/testing/*.cpp")
  file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/redial/testing/*.hpp")
  if(NOT sources)
    add_library(redial_testing INTERFACE)
    target_link_libraries(redial_testing INTERFACE redial::redial)
  else()
    add_library(redial_testing ${sources})
    redial_developer_settings(redial_testing)
    target_link_libraries(redial_testing PUBLIC redial::redial
      PRIVATE fmt::fmt ${REDIAL_RESOLV_LIBRARY})
    target_sources(redial_testing PUBLIC FILE_SET HEADERS
      BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${headers})
    set_target_properties(redial_testing PROPERTIES
      POSITION_INDEPENDENT_CODE ON VERIFY_INTERFACE_HEADER_SETS ON
      OPTIMIZE_DEPENDENCIES ON)  # the archive can be built before `redial` is
  endif()
  add_library(redial::testing ALIAS redial_testing)
endfunction()
