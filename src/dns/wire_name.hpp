// SPDX-License-Identifier: Apache-2.0
#pragma once

// Domain names as they are in a message: labels with their lengths, and pointers. Nobody makes text
// of them to compare them. Pure.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace redial::detail {

/// The size of a message's header, where no names are.
inline constexpr std::size_t dns_header_size = 12;

/// Where the name at `at` ends in `message`; 0 for one that is longer, or jumps about more, than a
/// real one can, or leaves the message. Every name goes through here before anything else is done
/// with it: keeps the work of a message full of pointer chains linear.
[[nodiscard]] std::size_t skip_name(std::span<const std::uint8_t> message, std::size_t at) noexcept;

/// One name, without pointers, in lower case.
class wire_name {
 public:
  /// Nothing for text that is not a plain name: with a trailing dot, an empty or too long label, or
  /// a character that has to be escaped in text. "." is the root.
  [[nodiscard]] static std::optional<wire_name> of(std::string_view text) noexcept;
  /// The name at `at`, for which `skip_name` has given an end.
  [[nodiscard]] static wire_name at(std::span<const std::uint8_t> message, std::size_t at) noexcept;

  /// Whether it is the name at `at`, for which `skip_name` has given an end.
  [[nodiscard]] bool is_at(std::span<const std::uint8_t> message, std::size_t at) const noexcept;
  /// Whether it is the name at `zone`, or below it; as there.
  [[nodiscard]] bool is_inside(std::span<const std::uint8_t> message,
                               std::size_t zone) const noexcept;

 private:
  static constexpr std::size_t longest = 255;  // RFC 1035 §2.3.4

  // The root.
  wire_name() noexcept { labels_[0] = 0; }  // the rest is written before it is read
  [[nodiscard]] bool end_label(std::size_t length_at, std::size_t end) noexcept;
  [[nodiscard]] bool rest_is_at(std::size_t from,
                                std::span<const std::uint8_t> message,
                                std::size_t at) const noexcept;

  std::array<std::uint8_t, longest> labels_;
  std::size_t size_ = 1;  // with the root
};

}  // namespace redial::detail
