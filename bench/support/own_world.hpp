// SPDX-License-Identifier: Apache-2.0
#pragma once

// A network and mounts of this process's own, so that port 53 is free and the system's resolver
// asks whom we like. Outside nothing changes.

#include <stdexcept>
#include <string>

namespace redial::bench {

/// A step towards it was not possible; says which, and why.
struct not_permitted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Network and mount namespaces with nothing but a loopback. Whoever is not root is it in a user
/// namespace, where the system permits those. Before the first thread.
/// \throws not_permitted; unless the mounts are what failed, nothing has changed then.
void enter_own_network();

/// What is mounted from now on is seen here only. After `enter_own_network`.
/// \throws not_permitted
void keep_mounts_to_ourselves();

/// `path` says `text` for this process and its children, and for nobody else. The text is written
/// to the file `own`, which may go when this returns.
/// \throws not_permitted
void replace_file(const std::string& path, const std::string& own, const std::string& text);

}  // namespace redial::bench
