#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the packages and uses them. `./dev package` calls this, one step at a time:
#   package.sh vcpkg LINKAGE [FEATURE;...]     the port, under a stand-in for vcpkg
#   package.sh conan [OPTION=VALUE...]         the recipe, under a stand-in for Conan
#   package.sh debian RELEASE                  as root: .debs, built and used in Debian roots
# $REDIAL_DEB_BUILD_OPTIONS is added to DEB_BUILD_OPTIONS; "noopt" builds in half the time.
# Roots of Debian are kept in $REDIAL_PACKAGE_ROOTS (build/package/roots).
set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/matrix/host_apt
. tests/matrix/host_apt

out=$PWD/build/package
roots=${REDIAL_PACKAGE_ROOTS:-$out/roots}
version=$(sed -n 's/^project(redial VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
export JOBS=${JOBS:-$(nproc)} REDIAL_DEB_BUILD_OPTIONS=${REDIAL_DEB_BUILD_OPTIONS:-}
STAND_IN_LAUNCHER=$(command -v ccache || true)
export STAND_IN_LAUNCHER
# The stand-ins are about what is built and where it goes, not about how fast it is: few large files,
# nothing optimised, which takes a fifth of the time. All of them compile the same, at the same depth
# below their folder: with ccache, once.
export CCACHE_BASEDIR=$out CCACHE_NOHASHDIR=1
export STAND_IN_OPTIONS="-DREDIAL_UNITY=ON \
  -DCMAKE_CXX_FLAGS_RELEASE=-O0 -DCMAKE_CXX_FLAGS_DEBUG=-O0"

vcpkg() { # vcpkg <linkage> [features]
  local options=(-D "WORK=$out/vcpkg/$1" -D "LINKAGE=$1")
  sources "$out/vcpkg/$1/source"
  [ $# -lt 2 ] || options+=(-D "FEATURES=$2")
  cmake "${options[@]}" -P tests/packages/vcpkg/run_port.cmake
}

conan() {
  local IFS=-
  python3 tests/packages/conan/recipe_test.py create "$out/conan/${*:-default}" "$@"
}

# What is tracked, as it is now.
sources() { # sources <new folder>
  rm -rf "$1"
  mkdir -p "$1"
  # As root in somebody else's checkout, git wants to be told.
  git -c safe.directory="$PWD" ls-files -z | tar --null -T - -c | tar -x -C "$1"
}

# --- Debian -------------------------------------------------------------------------------------

in_root() { # in_root <root> <shell command> [argument...]
  local root=$1
  local -x http_proxy=${http_proxy:-$(proxy)}
  shift
  # A /proc that ends with the command. Where mounting is not allowed, most things work without.
  # shellcheck disable=SC2016 # expanded inside
  unshare --mount --pid --fork --kill-child sh -c '
    mount -t proc proc "$0/proc" 2>/dev/null || echo "no /proc in the root" >&2
    exec chroot "$0" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
      HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive CCACHE_DIR=/ccache \
      CCACHE_BASEDIR=/build CCACHE_NOHASHDIR=1 \
      ${http_proxy:+"http_proxy=$http_proxy"} \
      DEB_BUILD_OPTIONS="nocheck parallel=$JOBS $REDIAL_DEB_BUILD_OPTIONS" sh -ec "$@"' "$root" "$@"
}

# The bare system, once; every other root is a copy of it.
base_root() { # base_root <release>
  local root=$roots/$1-base
  [ ! -e "$root/.complete" ] || return 0
  rm -rf --one-file-system "$root"
  mkdir -p "$roots"
  http_proxy=${http_proxy:-$(proxy)} debootstrap --variant=minbase "$1" "$root" "$(mirror)"
  in_root "$root" 'apt-get update -q'
  touch "$root/.complete"
}

# Tracked files as they are now, the original archive made of them, and debian/ in its place.
source_package() { # source_package <directory>
  rm -rf "$1"
  sources "$1/redial-$version"
  tar -C "$1" -czf "$1/redial_$version.orig.tar.gz" "redial-$version"
  cp -r packaging/debian "$1/redial-$version/debian"
}

debian() { # debian <release>
  local release=$1 build=$roots/$1-build clean=$roots/$1-clean debs=$out/debian/$1
  base_root "$release"

  if [ ! -e "$build/.complete" ]; then
    rm -rf --one-file-system "$build"
    cp -a "$roots/$release-base" "$build"
    rm "$build/.complete"
    in_root "$build" 'apt-get install -y -q --no-install-recommends \
      build-essential ccache debhelper fakeroot lintian'
    touch "$build/.complete"
  fi
  source_package "$build/build"
  # The lists of a kept root may name versions that are gone.
  in_root "$build" "cd /build/redial-$version
    apt-get update -q
    apt-get build-dep -y -q --no-install-recommends ./
    CMAKE_CXX_COMPILER_LAUNCHER=ccache dpkg-buildpackage -us -uc
    # Nobody uploads these to Debian: there is no bug that a first upload would close.
    lintian --allow-root --info --suppress-tags initial-upload-closes-no-bugs \
      --fail-on error,warning ../redial_*.changes"

  rm -rf "$debs"
  mkdir -p "$debs"
  cp "$build/build"/*.deb "$debs"

  # A system that has never seen the sources' build dependencies.
  rm -rf --one-file-system "$clean"
  cp -a "$roots/$release-base" "$clean"
  mkdir "$clean/debs"
  cp "$debs"/*.deb "$clean/debs"
  rm -f "$clean"/debs/*-dbgsym_*
  cp -r "$build/build/redial-$version" "$clean/source"
  # As autopkgtest would: first what a user of the tools installs, then what a developer does.
  in_root "$clean" 'apt-get update -q
    apt-get install -y -q --no-install-recommends \
      /debs/redial-tools_*.deb /debs/libredial0.1_*.deb /debs/libredial-testing0.1_*.deb
    cd /source && debian/tests/churn
    apt-get install -y -q --no-install-recommends /debs/*.deb \
      cmake g++ ninja-build pkgconf libzstd-dev zlib1g-dev
    debian/tests/consumer'
  rm -rf --one-file-system "$clean"
  ls "$debs"
}

case ${1:-} in
  vcpkg | conan | debian) "$@" ;;
  *)
    sed -n 's/^#   \(package.sh.*\)/\1/p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
