# SPDX-License-Identifier: Apache-2.0
# How a target of ours is made: warnings, include paths, visibility, one object library per layer.

# Private to our own code; nothing here reaches a user of the library, nor our warnings the build of one
# who has it within: there CMAKE_COMPILE_WARNING_AS_ERROR would make them errors.
function(redial_developer_settings target)
  if(PROJECT_IS_TOP_LEVEL)
    target_compile_options(${target} PRIVATE
      -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
      # Not for an optimised build (preset `release`): g++ 12 then finds overlapping copies in std::string.
      $<$<BOOL:${REDIAL_WERROR}>:-Werror>)
  endif()
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

# What every library of ours and the objects in it share: hidden but for what REDIAL_API marks, and fit
# for a shared library even when they are put into an archive, unless whoever builds that says otherwise
# (CMAKE_POSITION_INDEPENDENT_CODE=OFF, Conan's fPIC=False).
function(redial_library_settings target)
  redial_developer_settings(${target})
  set(pic ON)
  if(DEFINED CMAKE_POSITION_INDEPENDENT_CODE AND NOT BUILD_SHARED_LIBS)
    set(pic "${CMAKE_POSITION_INDEPENDENT_CODE}")
  endif()
  set_target_properties(${target} PROPERTIES
    POSITION_INDEPENDENT_CODE "${pic}"
    UNITY_BUILD OFF  # not by a CMAKE_UNITY_BUILD of whoever builds us along: see redial_join_sources
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# The library redial::<component>, still empty. Its file is libredial for `core`, libredial_<component>
# for the others. While the major version is 0, a minor version may break: the soname has both.
function(redial_add_library component)
  set(target redial_${component})
  add_library(${target})
  add_library(redial::${component} ALIAS ${target})
  redial_library_settings(${target})
  redial_usage(${target})
  set(soversion ${PROJECT_VERSION_MAJOR})
  if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(soversion 0.${PROJECT_VERSION_MINOR})
  endif()
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${component}
    VERSION ${PROJECT_VERSION}
    SOVERSION ${soversion}
    VERIFY_INTERFACE_HEADER_SETS ON)
  if(component STREQUAL "core")
    set_target_properties(${target} PROPERTIES OUTPUT_NAME redial)
  else()
    redial_set_install_rpath(${target} "${CMAKE_INSTALL_FULL_LIBDIR}")
  endif()
endfunction()

# Where `target`, installed in `dir`, finds our shared libraries, so that a moved prefix works.
# CMAKE_INSTALL_RPATH says otherwise, CMAKE_SKIP_INSTALL_RPATH leaves it out.
function(redial_set_install_rpath target dir)
  if(BUILD_SHARED_LIBS AND NOT DEFINED CMAKE_INSTALL_RPATH)
    file(RELATIVE_PATH to_libraries "${dir}" "${CMAKE_INSTALL_FULL_LIBDIR}")
    string(REGEX REPLACE "/$" "" rpath "$ORIGIN/${to_libraries}")
    set_target_properties(${target} PROPERTIES INSTALL_RPATH "${rpath}")
  endif()
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

# The object library redial_layer_<layer> from src/<layer>/*.cpp, its objects and its public headers added
# to `library`.
function(redial_add_layer layer library)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${layer}/*.cpp")
  file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/redial/${layer}/*.hpp"
    "${PROJECT_SOURCE_DIR}/include/redial/${layer}/impl/*.hpp")
  target_sources(${library} PUBLIC FILE_SET HEADERS
    BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${headers})
  set(objects redial_layer_${layer})
  add_library(${objects} OBJECT ${sources})
  redial_usage(${objects})
  redial_library_settings(${objects})
  list(LENGTH sources count)
  # Where there is something to gain; the test kit has a `detail` of its own beside the library's.
  if(count GREATER 3 AND NOT layer STREQUAL "testing")
    redial_join_sources(${objects})
  endif()
  target_sources(${library} PRIVATE $<TARGET_OBJECTS:${objects}>)
endfunction()

# Links `target` with the layer, those below it and the test kit, not with the whole library: its
# tests build while a layer above does not, and a call upwards does not link.
function(redial_link_layer target layer)
  foreach(used IN LISTS REDIAL_BELOW_${layer} ITEMS ${layer})
    if(NOT used STREQUAL "testing")
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:redial_layer_${used}>)
    endif()
  endforeach()
  # The archive alone: as a target it would bring the whole library along.
  target_link_libraries(${target} PRIVATE $<TARGET_FILE:redial_testing>)
  add_dependencies(${target} redial_testing)
  redial_usage(${target})  # after the archive, which needs what this links
endfunction()
