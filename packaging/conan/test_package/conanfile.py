# SPDX-License-Identifier: Apache-2.0
# Builds and runs a program against the package: one GET, one line, from servers of their own.
import os

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, cmake_layout


class RedialTestConan(ConanFile):
    settings = "os", "arch", "compiler", "build_type"
    generators = "CMakeToolchain", "CMakeDeps"

    def requirements(self):
        self.requires(self.tested_reference_str)

    def layout(self):
        cmake_layout(self)

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def test(self):
        if can_run(self):
            for program in ("http_get", "byte_stream"):
                self.run(os.path.join(self.cpp.build.bindir, program), env="conanrun")
