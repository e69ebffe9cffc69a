// SPDX-License-Identifier: Apache-2.0
//
// Steps: a stat that differs from the last one, or the end of the 200 ms, wants a read. A read that
// differs from the one before starts over. An equal one, at least 200 ms later, makes the text
// count.
//
// Reads go on until two of them, 200 ms apart, saw the same text *and* the same stat. A file system
// stamps times by the kernel's tick (1-10 ms): of two writes within one tick, equal in size, the
// second changes nothing that stat shows. It cannot hide behind two stats that are 200 ms apart.
#include "dns/stable_file.hpp"

#include <utility>

namespace redial::inline REDIAL_ABI::detail {

stable_file::wish stable_file::on_stat(const file_signature& seen, time_point now) {
  // One that is there and was not readable may be so without any change to it: a failed read can
  // also be our own lack of descriptors.
  const bool unreadable = seen.exists && counting_ && !last_read();
  if (seen_ == seen && now < due_ && !unreadable) return wish::nothing;
  seen_ = seen;
  return wish::read;
}

std::optional<stable_file::settled> stable_file::on_read(content text, time_point now) {
  if (!counting_) {
    counting_ = std::move(text);
    expect_another(now);
    return settled{*counting_};
  }
  if (text != last_read()) {
    if (text == *counting_) {
      candidate_.reset();
    } else {
      candidate_ = std::move(text);
    }
    expect_another(now);
    return std::nullopt;
  }
  if (now < after(read_at_, apart)) return std::nullopt;
  if (seen_before_ == seen_) {
    due_ = time_point::max();
  } else {
    expect_another(now);
  }
  if (!candidate_) return std::nullopt;
  counting_ = std::exchange(candidate_, std::nullopt);
  return settled{*counting_};
}

void stable_file::expect_another(time_point now) {
  seen_before_ = seen_;
  read_at_ = now;
  due_ = after(now, apart);
}

}  // namespace redial::inline REDIAL_ABI::detail
