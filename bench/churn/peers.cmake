# SPDX-License-Identifier: Apache-2.0
# Other people's clients in the churn harness, each of them optional: libcurl4-openssl-dev,
# libgrpc++-dev, libcpp-httplib-dev, golang-go. Included by bench/CMakeLists.txt after redial_churn.
option(REDIAL_CHURN_PEERS "Build other people's clients into the churn harness where they are" ON)

# redial_churn_peer(<name> <pkg-config module> <source...>): with the module, redial_churn has these
# sources and the registry a macro REDIAL_CHURN_<NAME>.
function(redial_churn_peer name module)
  string(TOUPPER "${name}" upper)
  if(REDIAL_CHURN_PEERS)
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
      pkg_check_modules(REDIAL_PEER_${upper} QUIET IMPORTED_TARGET "${module}")
    endif()
  endif()
  if(NOT REDIAL_PEER_${upper}_FOUND OR NOT REDIAL_CHURN_PEERS)
    message(STATUS "redial-churn: without ${module}")
    return()
  endif()
  message(STATUS "redial-churn: with ${module} ${REDIAL_PEER_${upper}_VERSION}")
  # Objects of their own: what a peer wants defined, nobody else gets.
  add_library(redial_churn_${name} OBJECT ${ARGN})
  redial_developer_settings(redial_churn_${name})
  target_include_directories(redial_churn_${name} PRIVATE "${PROJECT_SOURCE_DIR}/bench")
  target_link_libraries(redial_churn_${name}
    PRIVATE redial::redial fmt::fmt PkgConfig::REDIAL_PEER_${upper})
  target_sources(redial_churn PRIVATE $<TARGET_OBJECTS:redial_churn_${name}>)
  target_link_libraries(redial_churn PUBLIC $<LINK_ONLY:PkgConfig::REDIAL_PEER_${upper}>)
  set_property(SOURCE ${registry} APPEND PROPERTY COMPILE_DEFINITIONS REDIAL_CHURN_${upper})
endfunction()

set(peers "${CMAKE_CURRENT_LIST_DIR}/peers")
# Who asks what there is.
set(registry "${CMAKE_CURRENT_LIST_DIR}/peers.cpp" "${CMAKE_CURRENT_LIST_DIR}/backend.cpp")
redial_churn_peer(curl libcurl "${peers}/contestant_curl.cpp")
redial_churn_peer(grpc grpc++ "${peers}/contestant_grpc.cpp"
  "${CMAKE_CURRENT_LIST_DIR}/backend_grpc.cpp")
redial_churn_peer(httplib cpp-httplib "${peers}/contestant_httplib.cpp")

# One file of the standard library's own packages: nothing is fetched.
find_program(REDIAL_GO_PROGRAM go DOC "Go, for its client in the churn harness")
if(REDIAL_GO_PROGRAM AND REDIAL_CHURN_PEERS)
  message(STATUS "redial-churn: with ${REDIAL_GO_PROGRAM}")
  set(program "${CMAKE_CURRENT_BINARY_DIR}/churn/redial-churn-go")
  add_custom_command(OUTPUT "${program}"
    # Without cgo it has its own resolver, as its statically linked programs do.
    COMMAND ${CMAKE_COMMAND} -E env GO111MODULE=off CGO_ENABLED=0 GOFLAGS= GOPROXY=off
      "GOCACHE=${CMAKE_CURRENT_BINARY_DIR}/churn/go-cache"
      "${REDIAL_GO_PROGRAM}" build -o "${program}" "${peers}/go/main.go"
    DEPENDS "${peers}/go/main.go"
    COMMENT "Building redial-churn-go")
  add_custom_target(redial-churn-go DEPENDS "${program}")
  add_dependencies(redial_churn redial-churn-go)
  set_property(SOURCE ${registry} APPEND PROPERTY COMPILE_DEFINITIONS REDIAL_CHURN_GO)
  if(REDIAL_INSTALL AND REDIAL_BUILD_TOOLS)
    install(PROGRAMS "${program}" TYPE BIN COMPONENT redial_Tools)  # looked for beside redial-churn
  endif()
else()
  message(STATUS "redial-churn: without go")
endif()
