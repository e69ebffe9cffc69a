# SPDX-License-Identifier: Apache-2.0
from functools import total_ordering


@total_ordering
class Version:
    def __init__(self, text):
        self._numbers = [int(part) for part in str(text).split(".")]

    def __eq__(self, other):
        return self._numbers == Version(other)._numbers if isinstance(other, str) else NotImplemented

    def __lt__(self, other):
        return self._numbers < Version(other)._numbers
