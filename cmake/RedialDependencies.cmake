# SPDX-License-Identifier: Apache-2.0
# What the library is built on. Test, bench and harness dependencies are looked up where they are used.

# CONFIG, because FindBoost is gone from CMake; no component, because `system` is gone from Boost and
# everything used here is headers.
set(REDIAL_BOOST_MINIMUM 1.81)
# A larger build may have the targets already, made from sources along with it.
if(NOT TARGET Boost::headers OR Boost_FOUND)
  find_package(Boost ${REDIAL_BOOST_MINIMUM} REQUIRED CONFIG)
endif()
if(NOT TARGET fmt::fmt OR fmt_FOUND)
  find_package(fmt 9 REQUIRED CONFIG)
endif()
find_package(OpenSSL 3 REQUIRED)
find_package(Threads REQUIRED)

include(RedialFindCares)
if(NOT TARGET c-ares::cares)
  message(FATAL_ERROR "redial needs c-ares 1.18.1 or newer: neither its CMake package nor libcares.pc "
    "was found (Debian: apt-get install libc-ares-dev pkg-config)")
endif()

# ns_initparse and ns_parserr live in libresolv on older glibc and on macOS, in libc on newer glibc
# and on musl.
include(CheckCXXSourceCompiles)
set(REDIAL_NS_PARSE_PROGRAM "
  #include <sys/types.h>
  #include <netinet/in.h>
  #include <arpa/nameser.h>
  int main() { ns_msg m; ns_rr r; return ns_initparse(nullptr, 0, &m) + ns_parserr(&m, ns_s_an, 0, &r); }")
check_cxx_source_compiles("${REDIAL_NS_PARSE_PROGRAM}" REDIAL_NS_PARSE_IN_LIBC)
set(REDIAL_RESOLV_LIBRARY "")
if(NOT REDIAL_NS_PARSE_IN_LIBC)
  set(REDIAL_RESOLV_LIBRARY resolv)
endif()
