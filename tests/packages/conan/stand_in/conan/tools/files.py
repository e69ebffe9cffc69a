# SPDX-License-Identifier: Apache-2.0
import fnmatch
import os
import shutil


def load(conanfile, path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def rmdir(conanfile, path):
    if os.path.isdir(path):
        shutil.rmtree(path)


def copy(conanfile, pattern, src, dst):
    """Files below src whose path matches, to the same place below dst."""
    copied = []
    for folder, _, names in os.walk(src):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), src)
            if fnmatch.fnmatch(path, pattern):
                target = os.path.join(dst, path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy2(os.path.join(src, path), target)
                copied.append(target)
    return copied
