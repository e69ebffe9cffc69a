# SPDX-License-Identifier: Apache-2.0
class ConanException(Exception):
    pass


class ConanInvalidConfiguration(ConanException):
    pass
