# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where: libraries and headers, the CMake package with a file per component,
# pkg-config files, the licence. Nothing installed names a place of this machine.
include(CMakePackageConfigHelpers)

set(REDIAL_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/redial")

# The files of one exported target, redial-<component>-targets.cmake included.
function(redial_install_target target component)
  install(TARGETS ${target} EXPORT redial-${component}
    RUNTIME COMPONENT redial_Runtime
    LIBRARY COMPONENT redial_Runtime NAMELINK_COMPONENT redial_Development
    ARCHIVE COMPONENT redial_Development
    FILE_SET HEADERS COMPONENT redial_Development)
  install(EXPORT redial-${component} NAMESPACE redial:: DESTINATION "${REDIAL_PACKAGE_DIR}"
    FILE redial-${component}-targets.cmake COMPONENT redial_Development)
endfunction()

function(redial_install_package)
  # While the major version is 0, a minor version may break.
  set(compatibility SameMajorVersion)
  if(PROJECT_VERSION_MAJOR EQUAL 0)
    set(compatibility SameMinorVersion)
  endif()
  set(REDIAL_LINKAGE static)
  if(BUILD_SHARED_LIBS)
    set(REDIAL_LINKAGE shared)
  endif()
  set(REDIAL_BOOST_SERIES "${Boost_VERSION_MAJOR}.${Boost_VERSION_MINOR}")
  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/redialConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/redialConfig.cmake" INSTALL_DESTINATION "${REDIAL_PACKAGE_DIR}"
    NO_SET_AND_CHECK_MACRO)
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/redialConfigVersion.cmake"
    COMPATIBILITY ${compatibility})
  install(FILES "${PROJECT_BINARY_DIR}/redialConfig.cmake"
      "${PROJECT_BINARY_DIR}/redialConfigVersion.cmake"
      "${PROJECT_SOURCE_DIR}/cmake/RedialFindCares.cmake"
    DESTINATION "${REDIAL_PACKAGE_DIR}" COMPONENT redial_Development)
endfunction()

# redial.pc is core, http and metrics as far as they are there; redial-testing.pc the test kit. They say
# where they lie themselves, unless somebody has chosen folders outside of the prefix, as Nix does.
function(redial_install_pkgconfig)
  set(pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
  set(PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
  if(NOT IS_ABSOLUTE "${pc_dir}")
    file(RELATIVE_PATH to_prefix "/prefix/${pc_dir}" "/prefix")
    string(REGEX REPLACE "/$" "" PC_PREFIX "\${pcfiledir}/${to_prefix}")
  endif()
  foreach(dir IN ITEMS LIBDIR INCLUDEDIR)
    cmake_path(APPEND PC_${dir} "\${prefix}" "${CMAKE_INSTALL_${dir}}")  # an absolute one stands alone
  endforeach()
  set(PC_LIBS "")
  foreach(component IN ITEMS metrics http)
    if(component IN_LIST components)
      string(APPEND PC_LIBS "-lredial_${component} ")
    endif()
  endforeach()
  set(PC_RESOLV "")
  if(REDIAL_RESOLV_LIBRARY)
    set(PC_RESOLV " -l${REDIAL_RESOLV_LIBRARY}")
  endif()
  set(files redial)
  if("testing" IN_LIST components)
    list(APPEND files redial-testing)
  endif()
  foreach(file IN LISTS files)
    configure_file("${PROJECT_SOURCE_DIR}/cmake/${file}.pc.in" "${PROJECT_BINARY_DIR}/${file}.pc"
      @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/${file}.pc" DESTINATION "${pc_dir}"
      COMPONENT redial_Development)
  endforeach()
endfunction()

function(redial_install)
  set(components ${ARGN})
  foreach(component IN LISTS components)
    redial_install_target(redial_${component} ${component})
  endforeach()
  redial_install_target(redial redial)
  redial_install_package()
  redial_install_pkgconfig()
  set(doc_dir "${CMAKE_INSTALL_DOCDIR}")
  if(NOT PROJECT_IS_TOP_LEVEL)  # that is the other project's, with a licence of its own
    set(doc_dir "${CMAKE_INSTALL_DATAROOTDIR}/doc/redial")
  endif()
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${doc_dir}"
    COMPONENT redial_Runtime)
endfunction()
