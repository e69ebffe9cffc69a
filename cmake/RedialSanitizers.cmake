# SPDX-License-Identifier: Apache-2.0
# REDIAL_SANITIZE applies to every file of ours, tests included: a mix would miss and misreport.
if(REDIAL_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "REDIAL_FUZZ needs clang, which has libFuzzer")
  endif()
  set(REDIAL_SANITIZE "address,undefined")
  add_compile_options(-fsanitize=fuzzer-no-link)
  # A view or a vector read past its end is a finding, also where no other memory is touched.
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
if(REDIAL_SANITIZE)
  set(redial_sanitizer_flags -fsanitize=${REDIAL_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_compile_options(${redial_sanitizer_flags})
  add_link_options(${redial_sanitizer_flags})
  if(REDIAL_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio uses atomic_thread_fence, which g++ cannot instrument and warns about.
    add_compile_options(-Wno-tsan)
  endif()
  if(REDIAL_SANITIZE MATCHES "undefined" AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # False reports on coroutine frames, which the tests and examples have.
    add_compile_options(-fno-sanitize=function)
  endif()
endif()
