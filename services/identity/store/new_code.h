#pragma once

#include <string>

namespace bv::identity {

// 256 random bits as 43 characters of A-Z a-z 0-9 - _. Ends the process when there are none: no code may be
// guessed.
std::string NewInvitationCode();

}  // namespace bv::identity
