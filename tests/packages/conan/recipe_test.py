# SPDX-License-Identifier: Apache-2.0
# Runs the Conan recipe under the stand-in.
#   recipe_test.py version                      the version that it takes from CMakeLists.txt
#   recipe_test.py check                        every combination of options, without building
#   recipe_test.py create DIR [option=value...] builds the package in DIR as `conan create` would
import importlib.util
import itertools
import os
import shutil
import sys

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(os.path.dirname(here)))
sys.path.insert(0, os.path.join(here, "stand_in"))
sys.dont_write_bytecode = True

from conan.errors import ConanInvalidConfiguration  # noqa: E402
from conan.model import Compiler, Settings  # noqa: E402
from conan.tools.cmake import CMakeDeps, CMakeToolchain  # noqa: E402
from conan.tools.files import copy  # noqa: E402


def recipe_class(path):
    spec = importlib.util.spec_from_file_location("recipe_" + str(len(path)), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return next(value for name, value in vars(module).items()
                if name.endswith("Conan") and isinstance(value, type))


def fail(text):
    sys.exit(f"conan recipe: {text}")


def configured(settings, chosen):
    """A recipe as far as `conan graph info` brings it."""
    recipe = recipe_class(os.path.join(root, "conanfile.py"))(settings, chosen)
    recipe.recipe_folder = root
    recipe.set_version()
    recipe.prepare()
    recipe.requirements()
    recipe.build_requirements()
    recipe.validate()
    return recipe


def refused(why, settings, chosen):
    try:
        configured(settings, chosen)
    except ConanInvalidConfiguration:
        return
    fail(f"accepts {why}")


def check():
    names = ("shared", "with_http", "with_metrics", "with_testing", "with_tools")
    accepted = 0
    for values in itertools.product((True, False), repeat=len(names)):
        chosen = dict(zip(names, values))
        if chosen["with_tools"] and not (chosen["with_http"] and chosen["with_testing"]):
            refused(f"tools without what they need: {chosen}", Settings(), chosen)
            continue
        recipe = configured(Settings(), chosen)
        if (recipe.options.get("fPIC") is None) != chosen["shared"]:
            fail("fPIC belongs to static libraries only")
        recipe.package_info()
        recipe.cpp_info.check(recipe.requires)
        for name in ("http", "metrics", "testing"):
            if (name in recipe.cpp_info.components) != chosen["with_" + name]:
                fail(f"component {name} with {chosen}")
        accepted += 1
    everywhere = Compiler("clang", "14", "20")
    configured(Settings(compiler=everywhere), {})
    for why, settings in {
            "C++17": Settings(compiler=Compiler("gcc", "12", "gnu17")),
            "gcc 11": Settings(compiler=Compiler("gcc", "11.4", "gnu20")),
            "clang 13": Settings(compiler=Compiler("clang", "13", "20")),
            "Windows": Settings(os="Windows", compiler=Compiler("msvc", "194", "20"))}.items():
        refused(why, settings, {})
    print(f"conan recipe: redial/{recipe.version}, {accepted} combinations of options")


def export_sources(recipe, folder):
    """Only what the recipe names: what it forgets is missing from the build."""
    for pattern in recipe.exports_sources:
        if not copy(recipe, pattern, root, folder):
            fail(f"exports_sources names '{pattern}', which matches nothing")


def check_package(recipe):
    package = recipe.package_folder
    libraries = {name.removeprefix("lib").split(".")[0]: name
                 for name in os.listdir(os.path.join(package, "lib"))}
    named = [lib for c in recipe.cpp_info.components.values() for lib in c.libs]
    if sorted(named) != sorted(libraries):
        fail(f"package_info names {sorted(named)}, the package has {sorted(libraries)}")
    ending = ".so" if recipe.options.get("shared") else ".a"
    for name in named:
        if not os.path.exists(os.path.join(package, "lib", f"lib{name}{ending}")):
            fail(f"no lib{name}{ending}")
    for path in ("licenses/LICENSE", "include/redial/redial.hpp"):
        if not os.path.exists(os.path.join(package, path)):
            fail(f"the package lacks {path}")
    for path in ("lib/cmake", "lib/pkgconfig", "share"):
        if os.path.exists(os.path.join(package, path)):
            fail(f"the package has {path}, which Conan's generators replace")
    has_tool = os.path.exists(os.path.join(package, "bin", "redial-churn"))
    if has_tool != recipe.options.get("with_tools"):
        fail("redial-churn belongs to with_tools and to nothing else")
    if has_tool:
        with open(os.path.join(recipe.build_folder, "CMakeCache.txt"), encoding="utf-8") as cache:
            if "\nREDIAL_CHURN_PEERS:BOOL=OFF\n" not in cache.read():
                fail("redial-churn takes from the system what no required package gave")


def run_test_package(recipe, work):
    test = recipe_class(os.path.join(root, recipe.test_package_folder, "conanfile.py"))(
        recipe.settings)
    test.source_folder = os.path.join(root, recipe.test_package_folder)
    test.build_folder = os.path.join(work, "test_package")
    test.tested_reference_str = f"{recipe.name}/{recipe.version}"
    test.tested_package = recipe
    test.requirements()
    test.layout()
    for generator in test.generators:
        {"CMakeToolchain": CMakeToolchain, "CMakeDeps": CMakeDeps}[generator](test).generate()
    test.build()
    os.environ["LD_LIBRARY_PATH"] = os.path.join(recipe.package_folder, "lib")  # conanrun
    test.test()


def create(work, assignments):
    shutil.rmtree(work, ignore_errors=True)
    build_type, chosen = "Release", {}
    for assignment in assignments:
        name, _, value = assignment.partition("=")
        if name == "build_type":
            build_type = value
        else:
            chosen[name] = {"True": True, "False": False}[value]
    recipe = configured(Settings(build_type=build_type), chosen)
    recipe.source_folder = os.path.join(work, "source")
    recipe.build_folder = os.path.join(work, "build")
    recipe.package_folder = os.path.join(work, "package")
    export_sources(recipe, recipe.source_folder)
    recipe.layout()
    recipe.generate()
    recipe.build()
    recipe.package()
    recipe.package_info()
    recipe.cpp_info.check(recipe.requires)
    check_package(recipe)
    run_test_package(recipe, work)
    print(f"conan recipe: redial/{recipe.version} {build_type} {chosen} was built and used")


if sys.argv[1:] == ["version"]:
    print(configured(Settings(), {}).version)
elif sys.argv[1:] == ["check"]:
    check()
elif len(sys.argv) > 2 and sys.argv[1] == "create":
    create(os.path.abspath(sys.argv[2]), sys.argv[3:])
else:
    sys.exit("usage: recipe_test.py version | check | create DIR [option=value...]")
