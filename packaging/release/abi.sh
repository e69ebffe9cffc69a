# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # jobs and launcher are release.sh's
# Sourced by release.sh: does a program that was linked with one build of the libraries run with
# another? Answered by abidiff, from the debug information of both.

# build_libraries <directory>: shared libraries with headers, from <directory>/source, in
# <directory>/prefix. ccache does not mind which directory it is.
build_libraries() {
  local -x CCACHE_BASEDIR=$1 CCACHE_NOHASHDIR=1
  cmake -G Ninja -S "$1/source" -B "$1/build" -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_CXX_FLAGS_DEBUG="-g -O0" -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" \
    -DCMAKE_INSTALL_PREFIX="$1/prefix" -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=ON \
    -DREDIAL_INSTALL=ON -DREDIAL_WITH_HTTP=ON -DREDIAL_WITH_METRICS=ON -DREDIAL_WITH_TESTING=ON \
    -DREDIAL_BUILD_TESTS=OFF -DREDIAL_BUILD_EXAMPLES=OFF -DREDIAL_BUILD_BENCHMARKS=OFF \
    -DREDIAL_BUILD_TOOLS=OFF -DREDIAL_UNITY=ON &&
    cmake --build "$1/build" --parallel "$jobs" --target install
}

# compare_libraries <old prefix> <new prefix>: fails with a report if something that the old ones
# offer has changed or gone. What the new ones add does no harm. Only our own names count.
compare_libraries() {
  local library status=0 count=0
  for library in "$1"/lib/lib*.so; do
    [ -e "$library" ] || break
    count=$((count + 1))
    if [ ! -e "$2/lib/${library##*/}" ]; then
      echo "${library##*/} is gone"
      status=1
    else
      abidiff --no-added-syms --drop-private-types --suppressions packaging/release/abi.suppr \
        --headers-dir1 "$1/include" --headers-dir2 "$2/include" \
        "$library" "$2/lib/${library##*/}" || status=1
    fi
  done
  [ "$count" -gt 0 ] || echo "no library in $1/lib"
  [ "$count" -gt 0 ] && [ "$status" = 0 ]
}

# A comparison that cannot fail is worth nothing: three small libraries, of which the second only
# adds to the first and the third has another layout.
abidiff_sees_a_break() { # abidiff_sees_a_break <directory>
  local body='struct value { int first; EXTRA }; int sum(const value& v) { return v.first; }'
  local which
  for which in old added broken; do
    mkdir -p "$1/$which/include" "$1/$which/lib"
    case $which in
      old) echo "${body/EXTRA/}" ;;
      added) echo "${body/EXTRA/} int more(int i) { return i; }" ;;
      broken) echo "${body/EXTRA/long second;}" ;;
    esac >"$1/$which/include/value.hpp"
    printf 'namespace redial {\n#include "value.hpp"\n}\n' >"$1/$which/value.cpp"
    c++ -g -shared -fPIC -I "$1/$which/include" -o "$1/$which/lib/libvalue.so" \
      "$1/$which/value.cpp" || return 1
  done
  compare_libraries "$1/old" "$1/added" && ! compare_libraries "$1/old" "$1/broken"
}
