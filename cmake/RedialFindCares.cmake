# SPDX-License-Identifier: Apache-2.0
# c-ares as the target c-ares::cares, for our build and for that of whoever links our static library:
# from its CMake package where there is one (1.34, vcpkg, Conan), else from pkg-config, as Debian 12 has
# libcares.pc alone.
if(NOT TARGET c-ares::cares)
  find_package(c-ares CONFIG QUIET)
endif()
if(NOT TARGET c-ares::cares)
  find_package(PkgConfig QUIET)
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(REDIAL_CARES QUIET IMPORTED_TARGET GLOBAL libcares>=1.18.1)
  endif()
  if(TARGET PkgConfig::REDIAL_CARES)
    # Not an alias: an export would name what it stands for.
    add_library(c-ares::cares INTERFACE IMPORTED GLOBAL)
    target_link_libraries(c-ares::cares INTERFACE PkgConfig::REDIAL_CARES)
  endif()
endif()
