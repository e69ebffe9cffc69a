# SPDX-License-Identifier: Apache-2.0
# The Conan 2 recipe: `conan create .` builds the package and runs packaging/conan/test_package.
import os
import re

from conan import ConanFile
from conan.errors import ConanException, ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir
from conan.tools.scm import Version

required_conan_version = ">=2.3"  # the first that knows test_package_folder


class RedialConan(ConanFile):
    name = "redial"
    description = "Client connections that follow DNS"
    license = "Apache-2.0"
    url = "https://github.com/redial-cpp/redial"
    homepage = "https://github.com/redial-cpp/redial"
    topics = ("dns", "connection-pool", "asio", "http", "resilience")
    package_type = "library"
    test_package_folder = "packaging/conan/test_package"
    settings = "os", "arch", "compiler", "build_type"
    options = {
        "shared": [True, False],
        "fPIC": [True, False],
        "with_http": [True, False],
        "with_metrics": [True, False],
        "with_testing": [True, False],
        "with_tools": [True, False],
    }
    default_options = {
        "shared": False,
        "fPIC": True,
        "with_http": True,
        "with_metrics": True,
        "with_testing": False,
        "with_tools": False,
    }
    implements = ["auto_shared_fpic"]
    exports_sources = (
        "CMakeLists.txt",
        "LICENSE",
        "bench/*",
        "cmake/*",
        "include/*",
        "src/*",
        "tests/integration/support/*",  # which redial-churn shares
    )

    # What is compiled and run for every release; older ones lack parts of C++20.
    compiler_floors = {"gcc": "12", "clang": "14"}

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "CMakeLists.txt"))
        found = re.search(r"^project\(redial VERSION ([0-9]+\.[0-9]+\.[0-9]+)", text, re.MULTILINE)
        if not found:
            raise ConanException("CMakeLists.txt names no version")
        self.version = found.group(1)

    def requirements(self):
        # Headers of redial include Asio, and those for TLS include OpenSSL's through Asio, whose inline
        # functions call into it. Any value of boost's header_only will do: nothing compiled is used.
        self.requires("boost/[>=1.81.0 <2]", transitive_headers=True)
        self.requires("openssl/[>=3.0 <4]", transitive_headers=True, transitive_libs=True)
        self.requires("c-ares/[>=1.18.1 <2]")
        self.requires("fmt/[>=9.0 <13]")
        if self.options.with_tools:
            self.requires("cli11/[>=2.1.2 <3]", headers=True, libs=False, visible=False)
            self.requires("nlohmann_json/[>=3.11 <4]", headers=True, libs=False, visible=False)

    def build_requirements(self):
        self.tool_requires("cmake/[>=3.25 <5]")

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration("redial is built and tested on Linux only, so far")
        compiler = str(self.settings.compiler)
        floor = self.compiler_floors.get(compiler)
        if floor and Version(self.settings.compiler.version) < floor:
            raise ConanInvalidConfiguration(f"redial needs {compiler} {floor} or newer")
        if self.options.with_tools and not (self.options.with_http and self.options.with_testing):
            raise ConanInvalidConfiguration(
                "with_tools needs with_http and with_testing: redial-churn uses them"
            )

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        variables = toolchain.cache_variables
        variables["REDIAL_INSTALL"] = True
        variables["REDIAL_WITH_HTTP"] = bool(self.options.with_http)
        variables["REDIAL_WITH_METRICS"] = bool(self.options.with_metrics)
        variables["REDIAL_WITH_TESTING"] = bool(self.options.with_testing)
        variables["REDIAL_BUILD_TOOLS"] = bool(self.options.with_tools)
        # Other people's clients, which redial-churn would otherwise take from the system.
        variables["REDIAL_CHURN_PEERS"] = False
        # Tests and benchmarks belong to a checkout: ./dev test.
        for what in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            variables[f"REDIAL_BUILD_{what}"] = False
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        CMake(self).install()
        # Conan's generators write these, from package_info.
        rmdir(self, os.path.join(self.package_folder, "lib", "cmake"))
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))
        rmdir(self, os.path.join(self.package_folder, "share"))

    def package_info(self):
        info = self.cpp_info
        info.set_property("cmake_file_name", "redial")
        # As redial's own CMake package: while the version is 0.x, another minor breaks programs.
        zero = str(self.version).startswith("0.")
        info.set_property(
            "cmake_config_version_compat", "SameMinorVersion" if zero else "SameMajorVersion"
        )
        # The names of redial's own CMake package. Everything at once is no target there, so its name
        # here must not be the umbrella's.
        info.set_property("cmake_target_name", "redial::everything")
        info.set_property("pkg_config_name", "redial-everything")

        self._add_component("core", "redial")
        core = info.components["core"]
        core.requires = [
            "boost::headers",
            "openssl::ssl",
            "openssl::crypto",
            "c-ares::cares",
            "fmt::_fmt",
        ]
        core.system_libs = ["pthread", "resolv"]
        umbrella = ["core"]
        if self.options.with_http:
            self._add_component("http", "redial_http")
            umbrella.append("http")
        if self.options.with_metrics:
            self._add_component("metrics", "redial_metrics")
            umbrella.append("metrics")
        if self.options.with_testing:
            self._add_component("testing", "redial_testing")
            info.components["testing"].set_property("pkg_config_name", "redial-testing")

        info.components["umbrella"].requires = umbrella
        info.components["umbrella"].set_property("cmake_target_name", "redial::redial")
        info.components["umbrella"].set_property("pkg_config_name", "redial")

    def _add_component(self, name, library):
        component = self.cpp_info.components[name]
        component.libs = [library]
        component.set_property("cmake_target_name", f"redial::{name}")
        if name != "core":
            component.requires = ["core"]
