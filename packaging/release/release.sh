#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Is this tree fit to be released as VERSION? `./dev release` calls this:
#   release.sh VERSION --dry-run [--test]
# Prints one line for each check and fails if one of them does. It changes nothing: the version is
# edited, and the tag made, by a person.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. packaging/release/abi.sh

out=$PWD/build/release-check
log=$out/log.txt
jobs=${JOBS:-$(nproc)}
launcher=$(command -v ccache || true)
failed=0
passed=0

ok() {
  passed=$((passed + 1))
  printf 'ok      %s: %s\n' "$1" "$2"
}
bad() {
  failed=$((failed + 1))
  printf 'FAILED  %s: %s\n' "$1" "$2"
}
note() { printf 'note    %s: %s\n' "$1" "$2"; }

usage() {
  sed -n 's/^#   //p' "${BASH_SOURCE[0]}" >&2
  exit 2
}

version=
dry_run=
with_tests=
for argument in "$@"; do
  case $argument in
    --dry-run) dry_run=1 ;;
    --test) with_tests=1 ;;
    [0-9]*.[0-9]*.[0-9]*) version=$argument ;;
    *) usage ;;
  esac
done
[ -n "$version" ] || usage
if [ -z "$dry_run" ]; then
  cat >&2 <<TXT
Only --dry-run is there. A release is made by a person, once the dry run is green on main:
  git tag -s v$version -m "redial $version" && git push origin v$version
  then the checksum of the forge's archive goes into the vcpkg port (see the dry run).
TXT
  exit 2
fi

# --- the tree -----------------------------------------------------------------------------------

check_files() {
  local line
  while IFS= read -r line; do
    case $line in
      "ok "*) passed=$((passed + 1)) ;;
      *) failed=$((failed + 1)) ;;
    esac
    printf '%s\n' "$line"
  done < <(python3 packaging/release/tree_check.py --version "$version" 2>&1)
}

check_recipe() {
  local said
  if said=$(python3 tests/packages/conan/recipe_test.py check 2>&1); then
    ok conan "${said#conan recipe: }"
  else
    bad conan "${said##*$'\n'}"
  fi
}

check_git() {
  local branch changed
  changed=$(git status --porcelain | wc -l)
  if [ "$changed" = 0 ]; then ok clean "nothing uncommitted"; else bad clean "$changed files are uncommitted"; fi
  branch=$(git branch --show-current)
  if [ "$branch" = main ]; then ok branch main; else bad branch "on '$branch', not on main"; fi
  if git rev-parse -q --verify "refs/tags/v$version" >/dev/null; then
    bad tag "v$version exists"
  else
    ok tag "v$version is free"
  fi
}

# --- the archive --------------------------------------------------------------------------------

archive() { git archive --format=tar --prefix="redial-$version/" "$1" | gzip -n -9; }

unpack() { mkdir -p "$2" && tar -C "$2" --strip-components=1 -xzf "$1"; }

check_archive() {
  local file=$out/redial-$version.tar.gz first second
  first=$(archive HEAD | tee "$file" | sha512sum | cut -d' ' -f1)
  second=$(archive HEAD | sha512sum | cut -d' ' -f1)
  if [ "$first" != "$second" ]; then
    bad archive "two archives of one commit differ"
    return 1
  fi
  if ! unpack "$file" "$out/new/source"; then
    bad archive "cannot be unpacked"
    return 1
  fi
  ok archive "$(stat -c %s "$file") bytes, the same twice: ${file#"$PWD"/}"
  note checksum "for this archive the port's line would be"
  printf '            SHA512 %s\n' "$first"
  note checksum "vcpkg downloads the forge's own archive of the tag, whose bytes are others: after"
  note checksum "tagging, put there what 'vcpkg install' reports as the actual hash (SHA512 is 0 so far),"
  note checksum "or: curl -L <repository>/archive/refs/tags/v$version.tar.gz | sha512sum"
  local repository=redial-cpp/redial # not decided yet: this name stands for it
  if git grep -q "$repository" -- packaging/vcpkg conanfile.py packaging/debian/control; then
    note forge "the public repository's address is not decided: '$repository' stands for it in"
    note forge "$(git grep -l "$repository" | grep -v '^packaging/release/' | tr '\n' ' ')"
  fi
}

# --- the interface of the libraries --------------------------------------------------------------

series() { # series <version>: within one, nothing may break
  case $1 in
    0.*) echo "${1%.*}" ;;
    *) echo "${1%%.*}" ;;
  esac
}

check_soname() { # check_soname <prefix>
  local library soname want
  want=$(series "$version")
  for library in "$1"/lib/lib*.so; do
    soname=$(objdump -p "$library" | awk '$1 == "SONAME" { print $2 }')
    if [ "$soname" != "${library##*/}.$want" ]; then
      bad soname "${library##*/} has '$soname'"
      return
    fi
  done
  ok soname "$want"
}

check_abi() {
  local last
  if ! abidiff_sees_a_break "$out/self" >>"$log" 2>&1; then
    bad abi "abidiff does not tell an addition from a break: see ${log#"$PWD"/}"
    return
  fi
  if ! build_libraries "$out/new" >>"$log" 2>&1; then
    bad build "the archive does not build: see ${log#"$PWD"/}"
    return
  fi
  ok build "shared libraries from the archive"
  check_soname "$out/new/prefix"
  last=$(git describe --tags --abbrev=0 --match 'v[0-9]*' HEAD 2>/dev/null)
  if [ -z "$last" ]; then
    note abi "no tag yet, so nothing to compare with but a second build of the same"
    unpack "$out/redial-$version.tar.gz" "$out/old/source"
    compare_builds "a second build" 1
  else
    mkdir -p "$out/old"
    git archive --prefix=source/ "$last" | tar -C "$out/old" -x
    [ "$(series "${last#v}")" = "$(series "$version")" ]
    compare_builds "$last" $((! $?))
  fi
}

compare_builds() { # compare_builds <what lies in old/> <1 if it must not differ>
  local report=$out/abi.txt
  if ! build_libraries "$out/old" >>"$log" 2>&1; then
    bad abi "$1 does not build: see ${log#"$PWD"/}"
  elif compare_libraries "$out/old/prefix" "$out/new/prefix" >"$report" 2>&1; then
    ok abi "programs linked with $1 run with this one"
  elif [ "$2" = 1 ]; then
    bad abi "breaks programs linked with $1: see ${report#"$PWD"/}"
  else
    note abi "differs from $1, as a new series may: see ${report#"$PWD"/}"
  fi
}

check_tests() {
  if [ -z "$with_tests" ]; then
    note tests "not run; --test runs .ci/run"
  elif .ci/run >>"$log" 2>&1; then
    ok tests ".ci/run"
  else
    bad tests ".ci/run: see ${log#"$PWD"/}"
  fi
}

rm -rf "$out"
mkdir -p "$out"
: >"$log"
check_files
check_recipe
check_git
if check_archive; then check_abi; fi
check_tests
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
