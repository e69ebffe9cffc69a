# SPDX-License-Identifier: Apache-2.0
# What cmake/DocBlocks.cmake refuses, so that no block is left out in silence, and that it hands on what
# stands in a page to the last character.
# Run as: cmake -D ROOT=<checkout> -D OUT=<directory> -P blocks_test.cmake
cmake_minimum_required(VERSION 3.25)

if(DEFINED PAGE)  # the run that is looked at
  set(PROJECT_SOURCE_DIR "${ROOT}")
  include("${ROOT}/cmake/DocBlocks.cmake")
  redial_doc_blocks("${PAGE}" page "${OUT}/blocks" sources programs runs)
  return()
endif()

# Takes apart a page of this text; sets `failed` and `said`.
function(take_apart text)
  file(REMOVE_RECURSE "${OUT}/blocks")
  file(WRITE "${OUT}/page.md" "${text}")
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -D "ROOT=${ROOT}" -D "OUT=${OUT}" -D "PAGE=${OUT}/page.md"
      -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}"
    RESULT_VARIABLE failed ERROR_VARIABLE said)
  set(failed "${failed}" PARENT_SCOPE)
  string(REGEX REPLACE "[ \n]+" " " said "${said}")
  set(said "${said}" PARENT_SCOPE)
endfunction()

function(refused text why)
  take_apart("${text}")
  if(failed EQUAL 0 OR NOT said MATCHES "${why}")
    message(SEND_ERROR "not refused because '${why}':\n${text}\n${said}")
  endif()
endfunction()

foreach(fence IN ITEMS "```c++" "```C++" "```Cpp" "```hpp" "``` c++" "~~~cpp" "  ```cxx")
  refused("a\n${fence}\nint a;\n```\n" "C\\+\\+ is written")
endforeach()
foreach(fence IN ITEMS "  ```cpp" "````cpp" "``` cpp" "```cpp x")
  refused("a\n${fence}\nint a;\n```\n" "a cpp block begins|C\\+\\+ is written")
endforeach()
refused("a\n```cpp\nint a;\n" "does not end")
refused("<!-- compile: skip -->\n```cpp\nint a;\n```\n" "unknown comment")
refused("<!-- compile: in-function -->\nwords\n```cpp\nint a;\n```\n" "must follow its comment")
refused("<!-- compile: in-function -->\n" "no block after")
refused("<!-- compile: in-function\n```cpp\nint a;\n```\n" "does not end")
refused("<!-- compile: quoted from examples/02_byte_stream.cpp -->\n```cpp\nint a;\n```\n"
  "does not stand in")
refused("<!-- compile: quoted from cmake/DocBlocks.cmake -->\n```cpp\n# What\n```\n"
  "does not stand in")

set(code "const char* a = \"one@two@three \${four} \\n [x] y\"; int b[2];\n")
take_apart("words\n```cpp\n${code}```\n\n```text\nint c;\n```\n")
if(NOT failed EQUAL 0)
  message(SEND_ERROR "refused: ${said}")
endif()
file(READ "${OUT}/blocks/page.cpp" made)
string(FIND "${made}" "${code}" found)
if(found EQUAL -1 OR made MATCHES "int c;")
  message(SEND_ERROR "not as it stands in the page:\n${made}")
endif()
