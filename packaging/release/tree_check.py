# SPDX-License-Identifier: Apache-2.0
# What the files of the packages must agree on. One line per check; fails if one of them does.
#   tree_check.py [--version VERSION] [CHECK...]
# Without --version the version is that of CMakeLists.txt, and the changelog may be unreleased.
import argparse
import datetime
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT = "packaging/vcpkg/ports/redial/vcpkg.json"
WORKFLOW = ".github/workflows/ci.yml"


class Wrong(Exception):
    pass


def read(path):
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise Wrong(f"{path}: {error.strerror}") from None


def find(path, pattern):
    found = re.search(pattern, read(path), re.MULTILINE)
    if not found:
        raise Wrong(f"{path} has no line like {pattern}")
    return found.group(1)


# --- vcpkg's canonical form: `vcpkg format-manifest` would change nothing -------------------------

MANIFEST_KEYS = ["$schema", "$comment", "name", "version", "version-date", "version-semver",
                 "version-string", "port-version", "maintainers", "summary", "description",
                 "homepage", "documentation", "license", "supports", "builtin-baseline",
                 "dependencies", "default-features", "features", "overrides"]
FEATURE_KEYS = ["description", "supports", "license", "dependencies"]
DEPENDENCY_KEYS = ["name", "host", "default-features", "features", "platform", "version>="]


def ordered(value, keys, where):
    unknown = [key for key in value if key not in keys]
    if unknown:
        raise Wrong(f"{where}: unknown key {unknown[0]}")
    return {key: value[key] for key in keys if key in value}


def name_of(dependency):
    return dependency if isinstance(dependency, str) else dependency["name"]


def canonical_dependencies(dependencies, where):
    result = []
    for dependency in sorted(dependencies, key=name_of):
        if isinstance(dependency, dict):
            dependency = ordered(dependency, DEPENDENCY_KEYS, f"{where}, {name_of(dependency)}")
            if "features" in dependency:
                dependency["features"] = sorted(dependency["features"])
            if list(dependency) == ["name"]:
                dependency = dependency["name"]
        result.append(dependency)
    names = [name_of(dependency) for dependency in result]
    if len(set(names)) != len(names):
        raise Wrong(f"{where}: a dependency twice")
    return result


def canonical(manifest, where):
    manifest = ordered(manifest, MANIFEST_KEYS, where)
    if "dependencies" in manifest:
        manifest["dependencies"] = canonical_dependencies(manifest["dependencies"], where)
    if "default-features" in manifest:
        manifest["default-features"] = sorted(manifest["default-features"])
    features = manifest.get("features", {})
    for name in features:
        feature = ordered(features[name], FEATURE_KEYS, f"{where}, {name}")
        if "dependencies" in feature:
            feature["dependencies"] = canonical_dependencies(
                feature["dependencies"], f"{where}, {name}")
        features[name] = feature
    if features:
        manifest["features"] = {name: features[name] for name in sorted(features)}
    return manifest


def vcpkg_manifests(version):
    for path in (PORT, "vcpkg.json"):
        text = read(path)
        manifest = json.loads(text)
        form = json.dumps(canonical(manifest, path), indent=2, ensure_ascii=False) + "\n"
        if form != text:
            line = next(number for number, (a, b) in enumerate(
                zip((form + "\n").split("\n"), (text + "\n").split("\n")), 1) if a != b)
            raise Wrong(f"{path} is not in canonical form, from line {line}")
        missing = set(manifest["default-features"]) - set(manifest["features"])
        if missing:
            raise Wrong(f"{path}: no feature {missing}")
    return "canonical"


# --- one version everywhere ---------------------------------------------------------------------

def project_version():
    return find("CMakeLists.txt", r"^project\(redial VERSION ([0-9]+\.[0-9]+\.[0-9]+)")


def versions(version):
    recipe = subprocess.run(
        [sys.executable, os.path.join(ROOT, "tests/packages/conan/recipe_test.py"), "version"],
        check=True, capture_output=True, text=True).stdout.strip()
    said = {
        "CMakeLists.txt": project_version(),
        PORT: json.loads(read(PORT))["version-semver"],
        "vcpkg.json": json.loads(read("vcpkg.json"))["version-semver"],
        "conanfile.py": recipe,
        "packaging/debian/changelog": find("packaging/debian/changelog", r"\Aredial \(([^)-]+)-"),
    }
    other = {path: text for path, text in said.items() if text != version}
    if other:
        raise Wrong(f"not {version}: " + ", ".join(f"{p} says {v}" for p, v in other.items()))
    return f"{version} in {len(said)} files"


# While 0.x a minor version may break, so it is part of every name that a binary depends on.
def abi_names(version):
    major, minor, _ = version.split(".")
    series, soname = (f"v0_{minor}", f"0.{minor}") if major == "0" else (f"v{major}", major)
    stated = find("include/redial/core/abi.hpp", r"^\s*#\s*define\s+REDIAL_ABI\s+(\w+)")
    if stated != series:
        raise Wrong(f"REDIAL_ABI is {stated}, for {version} it has to be {series}")
    packages = re.findall(r"^Package: (libredial\S*)$", read("packaging/debian/control"), re.M)
    for package in packages:
        if not package.endswith("-dev") and not package.endswith(soname):
            raise Wrong(f"packaging/debian/control: {package}, but the SONAME ends in {soname}")
    return f"REDIAL_ABI {series}, Debian's packages {soname}"


def changelog(version):
    heading = re.search(rf"^## \[{re.escape(version)}\](?: - (\S+))?$", read("CHANGELOG.md"), re.M)
    if not heading:
        raise Wrong(f"CHANGELOG.md has no section [{version}]")
    try:
        datetime.date.fromisoformat(heading.group(1) or "")
    except ValueError:
        raise Wrong(f"CHANGELOG.md: [{version}] has no date (2001-02-03)") from None
    return f"[{version}] of {heading.group(1)}"


# --- the public forge ---------------------------------------------------------------------------

def dev_commands():
    block = re.search(r"^case \$command_name in\n(.*?)\) ;;", read("dev"), re.M | re.S)
    if not block:
        raise Wrong("dev: where are its commands?")
    return set(re.findall(r"[a-z][a-z-]*", block.group(1)))


def ci(version):
    text = read(WORKFLOW)
    try:
        import yaml
    except ImportError:
        how = "read line by line (no python3-yaml)"
        if "\t" in text:
            raise Wrong(f"{WORKFLOW}: a tab") from None
    else:
        how = "YAML"
        try:
            jobs = yaml.safe_load(text)["jobs"]
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise Wrong(f"{WORKFLOW}: {error}") from None
        for name, job in jobs.items():
            for key in ("runs-on", "timeout-minutes", "steps"):
                if key not in job:
                    raise Wrong(f"{WORKFLOW}: {name} has no {key}")
    called = re.findall(r"\./dev ([a-z-]+)", text)
    called += re.findall(r"^\s*- command: ([a-z-]+)", text, re.M)
    if not called:
        raise Wrong(f"{WORKFLOW} calls no ./dev command")
    rows = re.search(r"^rows=\((.*?)\)", read("tests/matrix/rows"), re.M | re.S).group(1).split()
    for row in re.findall(r"command: matrix\n\s*arguments: (\S+)", text):
        if row not in rows:
            raise Wrong(f"{WORKFLOW}: the matrix has no row {row}")
    unknown = set(called) - dev_commands()
    if unknown:
        raise Wrong(f"{WORKFLOW} calls ./dev {sorted(unknown)[0]}, which does not exist")
    return f"{how}, {len(set(called))} commands"


CHECKS = {"vcpkg_manifests": vcpkg_manifests, "versions": versions, "abi_names": abi_names,
          "ci": ci, "changelog": changelog}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--version")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))
    arguments = parser.parse_args()
    version = arguments.version or project_version()
    chosen = arguments.checks or [n for n in CHECKS if n != "changelog" or arguments.version]
    failed = False
    for name in chosen:
        try:
            print(f"ok      {name}: {CHECKS[name](version)}")
        except Wrong as error:
            failed = True
            print(f"FAILED  {name}: {error}")
    sys.exit(failed)


main()
