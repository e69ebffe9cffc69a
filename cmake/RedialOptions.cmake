# SPDX-License-Identifier: Apache-2.0
# What the options must agree with, said before anything is compiled.

# The version stands here, in project(), and its first two numbers in the namespace of every symbol.
function(redial_check_abi_name)
  file(STRINGS "${PROJECT_SOURCE_DIR}/include/redial/core/abi.hpp" line
    REGEX "^#define REDIAL_ABI ")
  set(want "v${PROJECT_VERSION_MAJOR}")
  if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(want "v0_${PROJECT_VERSION_MINOR}")
  endif()
  if(NOT line STREQUAL "#define REDIAL_ABI ${want}")
    message(FATAL_ERROR "redial ${PROJECT_VERSION}: include/redial/core/abi.hpp must say "
      "`#define REDIAL_ABI ${want}`, and says `${line}`")
  endif()
endfunction()

# And in macros, for who has to tell versions apart while compiling.
function(redial_check_version_macros)
  foreach(part IN ITEMS MAJOR MINOR PATCH)
    set(want "#define REDIAL_VERSION_${part} ${PROJECT_VERSION_${part}}")
    file(STRINGS "${PROJECT_SOURCE_DIR}/include/redial/core/version.hpp" line
      REGEX "^#define REDIAL_VERSION_${part} ")
    if(NOT line STREQUAL want)
      message(FATAL_ERROR "redial ${PROJECT_VERSION}: include/redial/core/version.hpp must say "
        "`${want}`, and says `${line}`")
    endif()
  endforeach()
endfunction()

function(redial_check_options)
  redial_check_abi_name()
  redial_check_version_macros()
  set(whole "")
  foreach(part IN ITEMS TESTS EXAMPLES BENCHMARKS)
    if(REDIAL_BUILD_${part})
      list(APPEND whole REDIAL_BUILD_${part})
    endif()
  endforeach()
  foreach(part IN ITEMS HTTP METRICS TESTING)
    if(whole AND NOT REDIAL_WITH_${part})
      message(FATAL_ERROR "${whole}: needs REDIAL_WITH_${part}=ON, or switch it off")
    endif()
  endforeach()
  if(REDIAL_BUILD_TOOLS AND NOT (REDIAL_WITH_HTTP AND REDIAL_WITH_TESTING))
    message(FATAL_ERROR "REDIAL_BUILD_TOOLS needs REDIAL_WITH_HTTP=ON and REDIAL_WITH_TESTING=ON")
  endif()
  # Tests and benchmarks look into the library; a shared one shows only what REDIAL_API marks.
  foreach(part IN ITEMS TESTS BENCHMARKS)
    if(BUILD_SHARED_LIBS AND REDIAL_BUILD_${part})
      message(FATAL_ERROR "REDIAL_BUILD_${part} needs BUILD_SHARED_LIBS=OFF: what they look into is "
        "hidden in a shared library. A static build tests shared ones too (ctest packaging.*).")
    endif()
  endforeach()
endfunction()
