# SPDX-License-Identifier: Apache-2.0
# A stand-in for Conan 2, as much of it as redial's recipes use, so that they can be run where Conan
# is not to be had. It refuses what Conan would refuse; it resolves nothing and downloads nothing: the
# system's libraries stand in for the packages that a recipe requires.
import subprocess

from conan.model import CppInfo, Options, Requirements

__all__ = ["ConanFile"]


class ConanFile:
    name = None
    version = None
    options = {}
    default_options = {}
    generators = ()
    exports_sources = ()
    implements = ()

    def __init__(self, settings, chosen=None):
        self.settings = settings
        self.options = Options(type(self).options, type(self).default_options, chosen or {})
        self.requires = Requirements()
        self.tool_requires = Requirements()
        self.cpp_info = CppInfo()
        self.cpp = None  # the layout's folders
        self.recipe_folder = self.source_folder = self.build_folder = None
        self.generators_folder = self.package_folder = None
        self.tested_reference_str = None
        self.tested_package = None  # stands in for the dependency graph of a test package

    def prepare(self):
        """What Conan does with the options before it asks for requirements."""
        if "auto_shared_fpic" in self.implements:
            if self.settings.os == "Windows" or self.options.get("shared"):
                self.options.remove("fPIC")

    def run(self, command, env=None):
        if env not in (None, "conanrun", "conanbuild"):
            raise ValueError(f"no such environment: {env}")
        subprocess.run(command, shell=True, check=True, cwd=self.build_folder)
