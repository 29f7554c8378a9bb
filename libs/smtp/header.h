// Headers of a mail (RFC 5322). Internal to libs/smtp.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <string_view>

namespace bv::smtp {

// As it is when it is plain ASCII and short; else as encoded words (RFC 2047), folded, each of whole
// characters of UTF-8.
std::string EncodeWords(std::string_view text);

// "Ada Lovelace <ada@example.com>", the name quoted or encoded as it needs.
std::string Mailbox(std::string_view name, std::string_view email);

// "Sun, 22 Nov 2026 06:00:00 +0000".
std::string DateOf(absl::Time time);

}  // namespace bv::smtp
