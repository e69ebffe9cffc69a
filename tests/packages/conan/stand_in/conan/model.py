# SPDX-License-Identifier: Apache-2.0
# The values that a recipe reads and fills in. Misspelt names are errors, as with Conan.
from conan.errors import ConanException


class Compiler(str):
    """A setting with settings below it."""

    def __new__(cls, name, version, cppstd):
        self = super().__new__(cls, name)
        self.version, self.cppstd = version, cppstd
        return self


class Settings:
    __slots__ = ("os", "arch", "compiler", "build_type")

    def __init__(self, os="Linux", arch="x86_64", compiler=None, build_type="Release"):
        self.os, self.arch, self.build_type = os, arch, build_type
        self.compiler = compiler or Compiler("gcc", "12", "gnu20")


class Option:
    """True or false in a condition, and no bool: CMake would get to see an object."""

    def __init__(self, value):
        self._value = value

    def __bool__(self):
        return self._value


class Options:
    def __init__(self, possible, defaults, chosen):
        if set(possible) != set(defaults):
            raise ConanException("options and default_options differ")
        for name, value in chosen.items():
            if value not in possible.get(name, ()):
                raise ConanException(f"no option {name}={value}")
        self.__dict__["_values"] = {**defaults, **chosen}

    def __getattr__(self, name):
        if name not in self._values:
            raise ConanException(f"option '{name}' does not exist")
        return Option(self._values[name])

    def __setattr__(self, name, value):
        raise ConanException(f"option '{name}' is set by the recipe")

    def get(self, name):
        return self._values.get(name)

    def remove(self, name):
        self._values.pop(name, None)


class Requirements(dict):
    """self.requires(...) and self.tool_requires(...): from a name to what was said of it."""

    traits = {"transitive_headers", "transitive_libs", "headers", "libs", "visible", "options"}

    def __call__(self, reference, **traits):
        name, slash, version = reference.partition("/")
        if not slash or not version:
            raise ConanException(f"no reference: {reference}")
        if name in self:
            raise ConanException(f"required twice: {name}")
        if set(traits) - self.traits:
            raise ConanException(f"{name}: unknown traits {set(traits) - self.traits}")
        self[name] = {"version": version, **traits}


class Component:
    lists = ("libs", "system_libs", "requires", "defines")

    def __init__(self):
        for name in self.lists:
            self.__dict__[name] = []
        self.__dict__["properties"] = {}

    def __setattr__(self, name, value):
        if name not in self.lists:
            raise ConanException(f"cpp_info has no '{name}' here")
        self.__dict__[name] = list(value)

    def set_property(self, name, value):
        known = ("cmake_file_name", "cmake_target_name", "pkg_config_name",
                 "cmake_config_version_compat")
        if name not in known:
            raise ConanException(f"unknown property {name}")
        self.properties[name] = value


class Components(dict):
    def __missing__(self, name):
        return self.setdefault(name, Component())


class CppInfo(Component):
    def __init__(self):
        super().__init__()
        self.__dict__["components"] = Components()

    def check(self, requirements):
        """Conan's own check of components: nothing unknown is required, nothing required is unused."""
        outside = set()
        for name, component in self.components.items():
            for required in component.requires:
                package, colons, _ = required.partition("::")
                if not colons and required not in self.components:
                    raise ConanException(f"{name} requires '{required}', which is no component")
                if colons:
                    outside.add(package)
        visible = {n for n, traits in requirements.items() if traits.get("visible", True)}
        for package in outside - visible:
            raise ConanException(f"required component package '{package}::' not in dependencies")
        for package in visible - outside:
            raise ConanException(f"required package '{package}' not in component 'requires'")
        self._check_unique("cmake_target_name")
        self._check_unique("pkg_config_name")

    def _check_unique(self, what):
        names = [c.properties[what] for c in (self, *self.components.values()) if what in c.properties]
        if len(names) != len(set(names)):
            raise ConanException(f"the same {what} twice: {sorted(names)}")
