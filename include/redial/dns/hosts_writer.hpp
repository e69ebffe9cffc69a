// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes addresses of names into a hosts file, so that its readers never see half of it.

#include <redial/core/abi.hpp>
#include <redial/core/address.hpp>
#include <redial/core/error.hpp>

#include <map>
#include <string>
#include <vector>

namespace redial::inline REDIAL_ABI {

/// Which addresses names shall have in a hosts file.
struct hosts_update {
  hosts_update() = default;

  /// The file to change. Symbolic links are followed: what they lead to is changed, they stay.
  /// Created (mode 0644, less the umask) when there is none, unless a link leads nowhere.
  std::string path = "/etc/hosts";

  /// The names to change, each with all the addresses it has from then on. Names are those that
  /// `host_name` accepts, except addresses and `localhost`; two spellings of one name add up.
  /// Duplicates are written once, in the order given.
  std::map<std::string, std::vector<address>> hosts;
};

/// Gives the names of `update` exactly their addresses, and changes nothing else.
///
/// These names are taken off every line that has them, one `address<TAB>name` line for each address
/// comes in the place of the first such line (else at the end), and a line left without a name goes
/// with its comment. All other lines stay as they are, byte for byte, except that a missing newline
/// at the end is added when lines follow it. Nothing is written when that is what the file says
/// already.
///
/// *How readers see it.* A new file is written beside the old one, synced and renamed over it: they
/// find the old text or the new, also after a power failure. Mode and owner are kept (the owner
/// where permitted); hard links, ACLs and labels are not.
///
/// Where renaming is impossible - the file is a mount point, as /etc/hosts is in a container, or
/// its directory may not be written - the file is changed in place, which keeps all of them. Then a
/// reader may catch the bytes from the first changed one on between old and new, for as long as one
/// write(2) takes; a shorter text is first padded with newlines and cut afterwards, so that nobody
/// finds less than a text. A crash at that moment may leave a mixture. redial's own reader waits
/// for two equal reads, 200 ms apart.
///
/// \par Errors The system's, of open, lock, write and sync; `errc::no_data` when a name has no
///      address; `EFBIG` when the file is over 16 MiB; `EAGAIN` when writers that do not lock
///      changed it meanwhile, again and again. After an error the file is as it was, except that
///      one that did not exist may have been made, empty, that a failed write in place is undone
///      only as far as the disk lets it, and that the directory is synced after the rename.
/// \throws std::invalid_argument naming the name or address that may not be written, or the empty
///     path; nothing was touched.
/// \par Threads Safe from any thread; blocks for the disk. Writers of one file, in this process and
///     others, take turns by flock(2) on it: a call waits as long as somebody holds that lock.
/// \par Source hosts(5); rename(2) for the replacement of the file in one step.
[[nodiscard]] REDIAL_API error_code write_hosts(const hosts_update& update);

}  // namespace redial::inline REDIAL_ABI
