# SPDX-License-Identifier: Apache-2.0
# Theirs has GIT_REPOSITORY and GIT_TAG, or URL, and no BINARY_DIR: that is where `subdirectory` has
# compiled the library already.
include(FetchContent)
FetchContent_Declare(redial SOURCE_DIR "${REDIAL_SOURCE}" BINARY_DIR "${CMAKE_BINARY_DIR}/redial")
FetchContent_MakeAvailable(redial)
