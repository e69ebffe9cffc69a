# SPDX-License-Identifier: Apache-2.0
import os
import shlex
import subprocess
from types import SimpleNamespace

from conan.errors import ConanException


def cmake_layout(conanfile, src_folder="."):
    build = os.path.join("build", conanfile.settings.build_type)
    conanfile.cpp = SimpleNamespace(build=SimpleNamespace(bindir="."))
    conanfile.build_folder = os.path.join(conanfile.build_folder, build)
    conanfile.generators_folder = os.path.join(conanfile.build_folder, "generators")


class CMakeToolchain:
    """Leaves what it is told in a file for cmake -C."""

    def __init__(self, conanfile):
        self._conanfile = conanfile
        self.cache_variables = {}

    def generate(self):
        conanfile = self._conanfile
        standard = conanfile.settings.compiler.cppstd
        variables = {
            "CMAKE_BUILD_TYPE": conanfile.settings.build_type,
            "CMAKE_CXX_STANDARD": standard.removeprefix("gnu"),
            "CMAKE_CXX_STANDARD_REQUIRED": True,
            "CMAKE_CXX_EXTENSIONS": standard.startswith("gnu"),
            "CMAKE_INSTALL_BINDIR": "bin",
            "CMAKE_INSTALL_INCLUDEDIR": "include",
            "CMAKE_INSTALL_LIBDIR": "lib",
            "CMAKE_PREFIX_PATH": conanfile.generators_folder,
        }
        if conanfile.package_folder:
            variables["CMAKE_INSTALL_PREFIX"] = conanfile.package_folder
        if conanfile.options.get("shared") is not None:
            variables["BUILD_SHARED_LIBS"] = conanfile.options.get("shared")
        if conanfile.options.get("fPIC") is not None:
            variables["CMAKE_POSITION_INDEPENDENT_CODE"] = conanfile.options.get("fPIC")
        variables.update(self.cache_variables)
        lines = []
        for name, value in variables.items():
            if not isinstance(value, (bool, str)):
                raise ConanException(f"{name} is neither a bool nor a string: {value!r}")
            text = {True: "ON", False: "OFF"}.get(value, value)
            kind = "BOOL" if isinstance(value, bool) else "STRING"
            lines.append(f'set({name} "{text}" CACHE {kind} "" FORCE)\n')
        os.makedirs(conanfile.generators_folder, exist_ok=True)
        with open(os.path.join(conanfile.generators_folder, "cache.cmake"), "w") as file:
            file.writelines(lines)


class CMakeDeps:
    """Writes the CMake package of a tested package, from its package_info and nothing else."""

    # Where the system has what ConanCenter's components name.
    system = {
        "boost::headers": ("find_package(Boost 1.81 REQUIRED CONFIG)", "Boost::headers"),
        "openssl::ssl": ("find_package(OpenSSL 3 REQUIRED)", "OpenSSL::SSL"),
        "openssl::crypto": ("find_package(OpenSSL 3 REQUIRED)", "OpenSSL::Crypto"),
        "c-ares::cares": (
            "find_package(PkgConfig REQUIRED)\n"
            "pkg_check_modules(STAND_IN_CARES REQUIRED IMPORTED_TARGET libcares)",
            "PkgConfig::STAND_IN_CARES",
        ),
        "fmt::_fmt": ("find_package(fmt REQUIRED CONFIG)", "fmt::fmt"),
    }

    def __init__(self, conanfile):
        self._conanfile = conanfile

    def generate(self):
        package = self._conanfile.tested_package
        if package is None:
            return  # the recipe itself: its dependencies are found in the system
        info = package.cpp_info
        path = os.path.join(self._conanfile.generators_folder,
                            info.properties["cmake_file_name"] + "Config.cmake")
        with open(path, "w") as file:
            for name in info.components:
                file.write(f"add_library({self._target(info, name)} INTERFACE IMPORTED)\n")
            for name, component in info.components.items():
                file.write(self._component(package, name, component))

    @staticmethod
    def _target(info, name):
        return info.components[name].properties["cmake_target_name"]

    def _component(self, package, name, component):
        text, links = "", []
        for library in component.libs:
            file = next((path for ending in (".so", ".a")
                         if os.path.exists(path := os.path.join(
                             package.package_folder, "lib", f"lib{library}{ending}"))), None)
            if file is None:
                raise ConanException(f"component {name}: no library {library}")
            links.append(file)
        for required in component.requires:
            if "::" in required:
                lookup, target = self._outside(package, required)
                text += lookup
            else:
                target = self._target(package.cpp_info, required)
            links += [target] if target else []
        links += component.system_libs
        return text + (f"set_target_properties({self._target(package.cpp_info, name)} PROPERTIES\n"
                       f'  INTERFACE_INCLUDE_DIRECTORIES "{package.package_folder}/include"\n'
                       f'  INTERFACE_LINK_LIBRARIES "{";".join(links)}")\n')


    def _outside(self, package, required):
        """What a user of the package gets of what it requires. A shared library brings its own:
        only traits of the requirement hand headers and libraries on."""
        lookup, target = self.system[required]
        traits = package.requires[required.partition("::")[0]]
        if not package.options.get("shared") or traits.get("transitive_libs"):
            return lookup + "\n", target
        if not traits.get("transitive_headers"):
            return "", None
        headers = "headers_of_" + target.replace("::", "_")
        return (f"{lookup}\nif(NOT TARGET {headers})\n  add_library({headers} INTERFACE IMPORTED)\n"
                f"  target_include_directories({headers} INTERFACE\n"
                f"    $<TARGET_PROPERTY:{target},INTERFACE_INCLUDE_DIRECTORIES>)\nendif()\n"), headers


class CMake:
    def __init__(self, conanfile):
        self._conanfile = conanfile

    def _run(self, *arguments):
        subprocess.run(["cmake", *arguments], check=True)

    def configure(self):
        c = self._conanfile
        self._run("-G", "Ninja", "-S", c.source_folder, "-B", c.build_folder,
                  "-C", os.path.join(c.generators_folder, "cache.cmake"), "--no-warn-unused-cli",
                  "-DCMAKE_CXX_COMPILER_LAUNCHER=" + os.environ.get("STAND_IN_LAUNCHER", ""),
                  *shlex.split(os.environ.get("STAND_IN_OPTIONS", "")))

    def build(self):
        self._run("--build", self._conanfile.build_folder,
                  "--parallel", os.environ.get("JOBS", "2"))

    def install(self):
        self._run("--install", self._conanfile.build_folder,
                  "--prefix", self._conanfile.package_folder)
