# SPDX-License-Identifier: Apache-2.0
from conan.errors import ConanInvalidConfiguration


def check_min_cppstd(conanfile, cppstd, gnu_extensions=False):
    have = int(conanfile.settings.compiler.cppstd.removeprefix("gnu"))
    if have < cppstd:
        raise ConanInvalidConfiguration(f"C++{cppstd} is needed, not {have}")


def can_run(conanfile):
    return True
